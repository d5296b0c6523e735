const path = require("node:path");
const express = require("express");
const { hostname, version } = require("./config/app");
const { errorHandler } = require("./errors");

const app = express();
app.disable("x-powered-by");
app.set("views", path.join(__dirname, "views"));
app.set("view engine", "ejs");
app.set("view cache", true);
Object.assign(app.locals, { hostname, version, errors: [] });

app.use((request, response, next) => {
  response.set({
    "Content-Security-Policy":
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
  });
  next();
});
app.use(express.static(path.join(__dirname, "public"), { index: false, maxAge: "1h" }));
app.use(require("./routes/health"));
app.use("/api", require("./routes/api"));
app.use(require("./routes/pages"));
app.use((request, response, next) => next(Object.assign(new Error("not found"), { status: 404 })));
app.use(errorHandler);

module.exports = app;
