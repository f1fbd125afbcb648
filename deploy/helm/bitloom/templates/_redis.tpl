{{/* Where the queue is. A password is in no argument of a coordinator. */}}
{{- define "bitloom.redisEnv" -}}
{{- with .Values.redis.external -}}
{{- if .secret -}}
- name: BITLOOM_REDIS
  valueFrom:
    secretKeyRef:
      name: {{ .secret | quote }}
      key: {{ .key | quote }}
{{- end -}}
{{- end -}}
{{- if include "bitloom.bundledRedis" . -}}
{{- if .Values.redis.bundled.passwordSecret -}}
{{ include "bitloom.redisPasswordEnv" (list . "REDIS_PASSWORD") }}
- name: BITLOOM_REDIS
  value: redis://:$(REDIS_PASSWORD)@{{ include "bitloom.fullname" . }}-redis:6379
{{- else -}}
- name: BITLOOM_REDIS
  value: redis://{{ include "bitloom.fullname" . }}-redis:6379
{{- end -}}
{{- end -}}
{{- end -}}

{{/* [root, name of the variable] */}}
{{- define "bitloom.redisPasswordEnv" -}}
{{- $redis := (index . 0).Values.redis.bundled -}}
- name: {{ index . 1 | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ $redis.passwordSecret | quote }}
      key: {{ $redis.passwordKey | quote }}
{{- end -}}
