// No resources: what `pulumi up` takes for itself and to load the SDK, which every program does.
"use strict";
require("./usage");
require("@pulumi/pulumi");
