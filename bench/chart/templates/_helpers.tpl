{{- define "labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .release }}
{{- end }}

{{- define "podSecurity" -}}
runAsNonRoot: true
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: { drop: [ALL] }
{{- end }}

{{- define "environment" -}}
envFrom:
  - configMapRef: { name: {{ .Release.Name }}-config }
env:
  - name: DB_PASSWORD
    valueFrom: { secretKeyRef: { name: {{ .Release.Name }}-postgres, key: password } }
{{- end }}
