{{/* The coordinators' file of settings. A large number must not become 2e+07. */}}
{{- define "bitloom.settings" -}}
{{- $own := dict "data" "/data" "bind" .Values.bindAddress "grpc-port" "7700" "http-port" "7701" -}}
{{- $_ := set $own "allowed-hosts" (include "bitloom.allowedHosts" .) -}}
{{- $_ := set $own "drain-timeout" (printf "%ds" (int .Values.coordinator.drainSeconds)) -}}
{{- if .Values.insecure -}}
{{- $_ := set $own "insecure" "true" -}}
{{- end -}}
{{- with .Values.tenants -}}
{{- if .secret -}}
{{- $_ := set $own "tenants" "/etc/bitloom/tenants/tenants.json" -}}
{{- end -}}
{{- end -}}
{{- if .Values.tls.secret -}}
{{- $_ := set $own "tls-cert" "/etc/bitloom/tls/tls.crt" -}}
{{- $_ := set $own "tls-key" "/etc/bitloom/tls/tls.key" -}}
{{- if .Values.tls.clientCa.secret -}}
{{- $_ := set $own "tls-client-ca" "/etc/bitloom/client-ca/ca.crt" -}}
{{- end -}}
{{- end -}}
{{- with .Values.results -}}
{{- if .bucket -}}
{{- $_ := set $own "results" (trimSuffix "/" (printf "s3://%s/%s" .bucket .prefix)) -}}
{{- end -}}
{{- end -}}
{{- with .Values.s3.region }}{{ $_ := set $own "s3-region" . }}{{ end -}}
{{- with .Values.s3.endpoint }}{{ $_ := set $own "s3-endpoint" . }}{{ end -}}
{{- if .Values.s3.pathStyle }}{{ $_ := set $own "s3-path-style" "true" }}{{ end -}}
{{- range .Values.coordinator.secretFiles -}}
{{- $_ := set $own .setting (printf "/etc/bitloom/files/%s" .setting) -}}
{{- end -}}
{{- range $name, $value := merge $own .Values.coordinator.settings }}
{{ $name }}: {{ ternary (printf "%.0f" $value) (toString $value) (kindIs "float64" $value) | quote }}
{{- end }}
{{- end -}}

{{/* Every name by which the HTTP port is called. */}}
{{- define "bitloom.allowedHosts" -}}
{{- $name := include "bitloom.fullname" . -}}
{{- $namespaced := printf "%s.%s" $name .Release.Namespace -}}
{{- $hosts := list $name $namespaced (printf "%s.svc" $namespaced) (printf "%s.svc.%s" $namespaced .Values.clusterDomain) -}}
{{- $hosts = concat $hosts .Values.coordinator.allowedHosts -}}
{{- if .Values.gateway.enabled -}}
{{- $hosts = concat $hosts .Values.gateway.httpHostnames -}}
{{- end -}}
{{- if and .Values.ingress.enabled .Values.ingress.http.host -}}
{{- $hosts = append $hosts .Values.ingress.http.host -}}
{{- end -}}
{{- join "," (uniq $hosts) -}}
{{- end -}}
