{{/* What the names of objects begin with. Short enough for what is put behind it. */}}
{{- define "pillion.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $own := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $own .Values.fullnameOverride | replace "." "-" | trunc 45 | trimSuffix "-" -}}
{{- end }}

{{/* For what belongs to no namespace: no other release has it, as neither part has a dot. */}}
{{- define "pillion.clusterName" -}}
{{ include "pillion.fullname" . }}.{{ .Release.Namespace }}
{{- end }}

{{/* What tells the pods of a component from others. Takes (list ROOT COMPONENT). */}}
{{- define "pillion.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* All labels of an object. Takes (list ROOT COMPONENT). */}}
{{- define "pillion.labels" -}}
{{- $root := index . 0 -}}
{{- $ours := fromYaml (include "pillion.selector" .) -}}
{{- $_ := set $ours "app.kubernetes.io/part-of" "pillion" -}}
{{- $_ := set $ours "app.kubernetes.io/version" $root.Chart.AppVersion -}}
{{- $_ := set $ours "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $_ := set $ours "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version) -}}
{{- toYaml (merge $ours $root.Values.commonLabels) }}
{{- end }}

{{/* All labels of a component's pods, which need no sidecar. Takes (list ROOT COMPONENT LABELS). */}}
{{- define "pillion.podLabels" -}}
{{- $ours := fromYaml (include "pillion.labels" .) -}}
{{- $_ := set $ours "pillion.dev/inject" "false" -}}
{{- toYaml (merge $ours (index . 2)) }}
{{- end }}

{{- define "pillion.image" -}}
{{- $version := printf ":%s" (default .Chart.AppVersion .Values.image.tag) -}}
{{- with .Values.image.digest }}{{ $version = printf "@%s" . }}{{ end -}}
{{ .Values.image.repository }}{{ $version }}
{{- end }}

{{/* Where sidecars connect, and by which name the certificate must know it. */}}
{{- define "pillion.host" -}}
{{ include "pillion.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end }}

{{/* The Secret with the certificate, where the controller does not make it itself. */}}
{{- define "pillion.certificate" -}}
{{- if eq .Values.certificates.source "secret" -}}
{{ required "certificates.secretName: name the Secret that has tls.crt, tls.key and ca.crt" .Values.certificates.secretName }}
{{- else if eq .Values.certificates.source "certManager" -}}
{{ include "pillion.fullname" . }}-certificate
{{- end -}}
{{- end }}

{{/* The namespaces that are watched, with commas; none for all. The gateway's routes are here. */}}
{{- define "pillion.watched" -}}
{{- $watched := .Values.watchNamespaces -}}
{{- if and $watched .Values.gateway.enabled }}{{ $watched = append $watched .Release.Namespace }}{{ end -}}
{{ uniq $watched | sortAlpha | join "," }}
{{- end }}

{{/* What every pod of ours may do: as little as the profile `restricted` asks for. */}}
{{- define "pillion.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: { type: RuntimeDefault }
{{- end }}
{{- define "pillion.security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Where pods run. Takes (list ROOT COMPONENT VALUES). */}}
{{- define "pillion.placement" -}}
{{- $values := index . 2 -}}
{{- with $values.priorityClassName -}}
priorityClassName: {{ . }}
{{ end -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" -}}
{{- with get $values $key -}}
{{ $key }}: {{- toYaml . | nindent 2 }}
{{ end -}}
{{- end -}}
topologySpreadConstraints:
{{- if $values.topologySpreadConstraints }}
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else }}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "pillion.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}
