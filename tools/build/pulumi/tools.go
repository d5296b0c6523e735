//go:build tools

// Package tools pins the Pulumi CLI and the Kubernetes plugin: the versions are those in go.mod.
package tools

import (
	_ "github.com/pulumi/pulumi-kubernetes/provider/v4/cmd/pulumi-resource-kubernetes"
	_ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
)
