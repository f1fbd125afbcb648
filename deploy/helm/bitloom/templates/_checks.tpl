{{/* What can be seen to be wrong before anything is installed, all of it in one message. */}}
{{- define "bitloom.checks" -}}
{{- $wrong := list -}}
{{- $v := .Values -}}
{{- if not (or $v.insecure $v.tenants.secret) -}}
{{- $wrong = append $wrong "tenants.secret: name the Secret with the file of tenants, or say insecure=true, which lets everybody in the cluster's network call" -}}
{{- end -}}
{{- if not (or $v.insecure $v.tls.secret) -}}
{{- $wrong = append $wrong "tls.secret: name the Secret with the coordinators' certificate, or say insecure=true, which lets tokens and images cross the network in plain text" -}}
{{- end -}}
{{- if and $v.tenants.secret $v.pools (not $v.tokens.worker.secret) -}}
{{- $wrong = append $wrong "tokens.worker.secret: with tenants, workers need a token of the role worker" -}}
{{- end -}}
{{- if and $v.tenants.secret $v.monitoring.podMonitors.enabled (not $v.tokens.metrics.secret) -}}
{{- $wrong = append $wrong "tokens.metrics.secret: with tenants, Prometheus needs a token of the role operator" -}}
{{- end -}}
{{- if and $v.tenants.secret $v.tests.enabled (not $v.tokens.test.secret) -}}
{{- $wrong = append $wrong "tokens.test.secret: with tenants, helm test needs a token of the role client; or say tests.enabled=false" -}}
{{- end -}}
{{- if and $v.tls.clientCa.secret (not $v.tls.secret) -}}
{{- $wrong = append $wrong "tls.clientCa.secret: goes with tls.secret" -}}
{{- end -}}
{{- if and $v.tls.clientCa.secret (not $v.tls.clientSecret) -}}
{{- $wrong = append $wrong "tls.clientSecret: with tls.clientCa, workers need a certificate" -}}
{{- end -}}
{{- if and (not $v.results.bucket) (gt (int $v.coordinator.replicas) 1) (ne $v.results.volume.accessMode "ReadWriteMany") -}}
{{- $wrong = append $wrong (printf "coordinator.replicas: %d coordinators cannot share a volume that is %s; keep images in S3 (results.bucket), or on a volume that is ReadWriteMany" (int $v.coordinator.replicas) $v.results.volume.accessMode) -}}
{{- end -}}
{{- if and $v.gateway.enabled (not $v.gateway.parentRefs) -}}
{{- $wrong = append $wrong "gateway.parentRefs: name the Gateway" -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.grpc.host) -}}
{{- $wrong = append $wrong "ingress.grpc.host: name the host by which the gRPC port is called" -}}
{{- end -}}
{{- $names := list -}}
{{- range (include "bitloom.pools" . | fromJson).pools -}}
{{- if has .name $names -}}
{{- $wrong = append $wrong (printf "pools: there are two named %s" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- if and .gpu.resource .gpu.deviceClass -}}
{{- $wrong = append $wrong (printf "pools, %s: gpu.resource and gpu.deviceClass are two ways to a GPU; choose one" .name) -}}
{{- end -}}
{{- if and .gpu.deviceClass (not (semverCompare ">=1.34.0-0" $.Capabilities.KubeVersion.Version)) -}}
{{- $wrong = append $wrong (printf "pools, %s: gpu.deviceClass needs Kubernetes 1.34, and this is %s" .name $.Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if and .model.claim .model.image -}}
{{- $wrong = append $wrong (printf "pools, %s: model.claim and model.image are two places of a model; choose one" .name) -}}
{{- end -}}
{{- if and .model.path (not (or .model.claim .model.image)) -}}
{{- $wrong = append $wrong (printf "pools, %s: model.path is a folder of model.claim or model.image; name one" .name) -}}
{{- end -}}
{{- if and .autoscaling.enabled (gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas)) -}}
{{- $wrong = append $wrong (printf "pools, %s: autoscaling.minReplicas is more than maxReplicas" .name) -}}
{{- end -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n  - %s" (join "\n  - " $wrong)) -}}
{{- end -}}
{{- end -}}
