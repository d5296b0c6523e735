//go:build tools

// Package tools pins kube-router, whose firewall enforces network policies: the version is the one in go.mod.
package tools

import _ "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"
