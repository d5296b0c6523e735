//go:build tools

// Package tools pins metrics-server: the version is the one in go.mod.
package tools

import _ "sigs.k8s.io/metrics-server/cmd/metrics-server"
