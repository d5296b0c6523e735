// Package await is the Kubernetes plugin's: this file is added to it when the plugin is built (see build.sh).
//
// In 4.25 the update of a StatefulSet counts as rolled out before its controller has seen it (pulumi-kubernetes#3329, fixed in 4.26):
// `up` would end while pods of the previous version serve. Whoever uses 4.31 or newer does not meet it, so neither do the tests.
package await

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func init() {
	spec := statefulsetAwaiter
	spec.await = wrap(awaitObserved)
	awaiters[appsV1StatefulSet] = spec
}

func awaitObserved(c awaitConfig) (*unstructured.Unstructured, error) {
	for {
		live, err := makeStatefulSetInitAwaiter(c).Await()
		if err != nil {
			return live, err
		}
		observed, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		if observed >= c.currentOutputs.GetGeneration() {
			return live, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}
