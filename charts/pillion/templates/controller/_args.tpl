{{/* What the controller is started with. */}}
{{- define "pillion.controllerArgs" -}}
- controller
- --listen=[::]:8790
- --admin=[::]:8789
- --log={{ .Values.controller.logLevel }}
{{- with include "pillion.watched" . }}
- --namespaces={{ . }}
{{- end }}
{{- if .Values.webhook.enabled }}
- --injection=/etc/pillion/injection/injection.yaml
- --webhook=[::]:8791
{{- if ne .Values.certificates.source "certManager" }}
- --webhook-configuration={{ include "pillion.clusterName" . }}
{{- end }}
{{- end }}
{{- if include "pillion.certificate" . }}
- --tls-cert=/etc/pillion/tls/tls.crt
- --tls-key=/etc/pillion/tls/tls.key
- --tls-ca=/etc/pillion/tls/ca.crt
{{- else if ne (include "pillion.fullname" .) "pillion" }}
- --tls-name={{ include "pillion.host" . }},{{ include "pillion.host" . }}.cluster.local
{{- end }}
{{- end }}

{{/* What the webhook gives to pods. */}}
{{- define "pillion.injection" -}}
image: {{ default (include "pillion.image" .) .Values.injection.image | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
controller: {{ include "pillion.host" . }}:8790
port: {{ .Values.injection.port }}
adminPort: {{ .Values.injection.adminPort }}
logLevel: {{ .Values.injection.logLevel }}
# `off` without quotes is `false` to YAML 1.1.
accessLog: {{ .Values.injection.accessLog | default "off" | quote }}
resources: {{- toYaml .Values.injection.resources | nindent 2 }}
{{- end }}
