//go:build tools

// Package tools pins Miniflux: the version is the one in go.mod.
package tools

import _ "miniflux.app/v2"
