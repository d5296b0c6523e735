//go:build tools

// Package tools pins Helm, beside which the benchmark measures: the version is the one in go.mod. Its libraries are those of the Kubernetes
// plugin (../pulumi/go.mod), so that what both have in common is compiled once.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
