{{/* Names leave room for the longest suffix: 35 + "-worker-" + 20 of a pool is 63. */}}
{{- define "bitloom.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 35 | trimSuffix "-" -}}
{{- end -}}

{{- define "bitloom.fullname" -}}
{{- $name := include "bitloom.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 35 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 35 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 35 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name by which pods of this cluster call the coordinators. */}}
{{- define "bitloom.host" -}}
{{- printf "%s.%s.svc" (include "bitloom.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* [root, component] or [root, component, pool] */}}
{{- define "bitloom.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "bitloom.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- if gt (len .) 2 }}
bitloom.io/pool: {{ index . 2 | quote }}
{{- end }}
{{- end -}}

{{/* Of pods: without versions, so that a new chart alone starts none of them again. */}}
{{- define "bitloom.podLabels" -}}
{{ include "bitloom.selector" . }}
app.kubernetes.io/part-of: bitloom
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "bitloom.labels" -}}
{{- $root := index . 0 -}}
{{ include "bitloom.podLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* [root, "coordinator" or "worker"] */}}
{{- define "bitloom.serviceAccount" -}}
{{- $root := index . 0 -}}
{{- $account := index $root.Values.serviceAccounts (index . 1) -}}
{{- if $root.Values.serviceAccounts.create -}}
{{- default (printf "%s-%s" (include "bitloom.fullname" $root) (index . 1)) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}

{{/* [root, {registry, repository, tag, digest}]: Bitloom's images share registry and tag. */}}
{{- define "bitloom.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := default $root.Values.image.registry $image.registry -}}
{{- $name := ternary (printf "%s/%s" (trimSuffix "/" $registry) $image.repository) $image.repository (ne $registry "") -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (coalesce $image.tag $root.Values.image.tag $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "bitloom.bundledRedis" -}}
{{- if not .Values.redis.external.secret }}true{{ end -}}
{{- end -}}

{{- define "bitloom.caSecret" -}}
{{- if .Values.tls.ca.key }}{{ default .Values.tls.secret .Values.tls.ca.secret }}{{ end -}}
{{- end -}}

{{/* The claim on which images are kept; empty if they are in S3. */}}
{{- define "bitloom.resultsClaim" -}}
{{- if not .Values.results.bucket -}}
{{- default (printf "%s-results" (include "bitloom.fullname" .)) .Values.results.volume.claim -}}
{{- end -}}
{{- end -}}

{{/* All pools, each over the defaults: {"pools": [...]} */}}
{{- define "bitloom.pools" -}}
{{- $pools := list -}}
{{- range .Values.pools -}}
{{- $pools = append $pools (mergeOverwrite (deepCopy $.Values.poolDefaults) .) -}}
{{- end -}}
{{- dict "pools" $pools | toJson -}}
{{- end -}}
