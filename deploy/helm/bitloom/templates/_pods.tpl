{{/* [root, whether it calls the cluster]. What all pods of Bitloom have: no token of the cluster unless they need one, and no variables of Services, whose names (BITLOOM_GRPC_PORT of a Service bitloom-grpc) the programs would take for settings. */}}
{{- define "bitloom.pod" -}}
{{- $values := (index . 0).Values -}}
automountServiceAccountToken: {{ index . 1 }}
enableServiceLinks: false
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Where pods may run, of a part of the values. */}}
{{- define "bitloom.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "bitloom.logEnv" -}}
- name: BITLOOM_LOG
  value: {{ .Values.log.format | quote }}
- name: BITLOOM_LOG_LEVEL
  value: {{ .Values.log.level | quote }}
{{- end -}}

{{/* How a pod that calls the coordinators is told about them. */}}
{{- define "bitloom.callerArgs" -}}
- "--coordinator={{ ternary "https://" "" (ne .Values.tls.secret "") }}{{ include "bitloom.host" . }}:7700"
{{- if .Values.tls.secret }}
{{- if include "bitloom.caSecret" . }}
- --tls-ca=/etc/bitloom/tls/ca.crt
{{- end }}
{{- if .Values.tls.clientSecret }}
- --tls-cert=/etc/bitloom/tls/tls.crt
- --tls-key=/etc/bitloom/tls/tls.key
{{- end }}
{{- end }}
{{- end -}}

{{/* [root, {secret, key}]: the token of a caller. */}}
{{- define "bitloom.callerEnv" -}}
{{- $root := index . 0 -}}
{{- with index . 1 -}}
{{- if .secret }}
- name: BITLOOM_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
{{- if not $root.Values.tls.secret }}
- name: BITLOOM_INSECURE
  value: "true"
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "bitloom.callerHasFiles" -}}
{{- if and .Values.tls.secret (or (include "bitloom.caSecret" .) .Values.tls.clientSecret) }}true{{ end -}}
{{- end -}}

{{/* What a caller trusts and shows; never the coordinators' own key. */}}
{{- define "bitloom.callerVolume" -}}
- name: tls
  projected:
    defaultMode: 0440
    sources:
      {{- with include "bitloom.caSecret" . }}
      - secret:
          name: {{ . | quote }}
          items:
            - key: {{ $.Values.tls.ca.key | quote }}
              path: ca.crt
      {{- end }}
      {{- with .Values.tls.clientSecret }}
      - secret:
          name: {{ . | quote }}
          items:
            - key: tls.crt
              path: tls.crt
            - key: tls.key
              path: tls.key
      {{- end }}
{{- end -}}
