//go:build tools

// Package tools pins kubeconform: the version is the one in go.mod.
package tools

import _ "github.com/yannh/kubeconform/cmd/kubeconform"
