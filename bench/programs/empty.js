// No resources: what `pulumi up` takes for itself and to load the SDK, which every program does.
"use strict";
require("./peakMemory");
require("@pulumi/pulumi");
