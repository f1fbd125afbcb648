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
