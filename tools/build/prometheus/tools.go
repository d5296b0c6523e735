//go:build tools

// Package tools pins promtool, which runs unit tests of alerts: the version is the one in go.mod.
package tools

import _ "github.com/prometheus/prometheus/cmd/promtool"
