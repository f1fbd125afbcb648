{{/* [root, component]: its pods, as peers. */}}
{{- define "bitloom.peer" -}}
{{- dict "podSelector" (dict "matchLabels" (include "bitloom.selector" . | fromYaml)) | list | toYaml -}}
{{- end -}}

{{/* [[port, peers], ...]: who is let in where. There is no rule without peers, since that would let everybody in. */}}
{{- define "bitloom.ingress" -}}
{{- $rules := list -}}
{{- range . -}}
{{- if index . 1 -}}
{{- $rules = append $rules (dict "ports" (list (dict "port" (index . 0))) "from" (index . 1)) -}}
{{- end -}}
{{- end -}}
{{- dict "ingress" $rules | toYaml -}}
{{- end -}}

{{- define "bitloom.dnsEgress" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{/* Coordinators sign what workers upload, and both speak to S3. */}}
{{- define "bitloom.s3Egress" -}}
{{- with .Values.s3 -}}
{{- if or $.Values.results.bucket .region .endpoint -}}
{{- $url := urlParse (default "https://s3" .endpoint) -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
- ports:
    - port: {{ default (ternary "443" "80" (eq $url.scheme "https")) $port }}
  {{- with $.Values.networkPolicy.s3.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
