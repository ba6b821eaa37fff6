#pragma once

/// The version of the headers: `MAJOR.MINOR.PATCH`. The build reads it here.
#define STEWARD_VERSION "0.1.0"
