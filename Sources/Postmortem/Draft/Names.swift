import OakumModel

/// The words people read for codes.
enum Names {
    static func kind(_ kind: AlertKind) -> String {
        switch kind {
        case .memoryLeak: "memory leak"
        case .memory: "memory near its limit"
        case .errorRate: "error rate"
        case .latency: "latency"
        case .unresponsive: "unresponsive"
        case .cpu: "CPU"
        case .pressure: "pressure on the host"
        case .fileDescriptors: "open descriptors"
        case .restarts: "restarts"
        case .outOfMemoryKill: "killed for want of memory"
        case .disk: "disk"
        case .businessRate: "business rate"
        case .noData: "absence of data"
        case .delivery: "delivery of pages"
        case .diagnosis: "diagnosis"
        case .outside: "told from outside"
        }
    }

    static func state(_ state: IncidentState) -> String {
        switch state {
        case .open: "open"
        case .acknowledged: "acknowledged"
        case .mitigated: "mitigated, not closed"
        case .resolved: "resolved"
        }
    }

    static func page(_ kind: PageKind) -> String {
        switch kind {
        case .opened: "first page"
        case .escalated: "next step"
        case .updated: "update"
        case .acknowledged: "acknowledged"
        case .mitigated: "mitigated"
        case .resolved: "resolved"
        case .reopened: "reopened"
        case .stakeholders: "to the business"
        case .test: "test"
        }
    }

    /// Begins a line of the timeline.
    static func entry(_ kind: TimelineKind) -> String {
        switch kind {
        case .leakOnset: "Leak begins"
        case .impactOnset: "Users affected"
        case .detected: "Detected"
        case .alert: "Alert"
        case .opened: "Opened"
        case .severityChanged: "Severity"
        case .paged: "Paged"
        case .deliveryFailed: "Delivery failed"
        case .exhausted: "Nobody left to page"
        case .escalated: "Escalated"
        case .acknowledged: "Acknowledged"
        case .acknowledgementEnded: "Acknowledgement ended"
        case .causeNamed: "Cause named"
        case .diagnosed: "Diagnosed"
        case .suppressed: "Held back"
        case .acted: "Oakum acted"
        case .mitigated: "Mitigated"
        case .restored: "Restored"
        case .resolved: "Resolved"
        case .reopened: "Reopened"
        case .note: "Note"
        case .stakeholdersTold: "Business told"
        case .deploy: "Deploy"
        case .merged: "Merged"
        }
    }

    static func verdict(_ code: VerdictCode) -> String {
        switch code {
        case .leak: "leak"
        case .cacheFill: "a cache that fills"
        case .fragmentation: "fragmentation"
        case .load: "load"
        case .warmUp: "warm-up"
        case .step: "a step"
        case .steady: "steady"
        case .notEnoughData: "not enough data"
        }
    }

    /// The end of a source file's path, as it can be found in a checkout: where it was built says nothing to readers.
    static func path(_ path: String) -> String {
        let parts = path.split(separator: "/")
        guard path.hasPrefix("/"), parts.count > 3 else { return path }
        let root = parts.lastIndex { ["Sources", "src", "lib"].contains($0) } ?? parts.count - 3
        return parts[min(root, parts.count - 1)...].joined(separator: "/")
    }

    /// Codes of the diagnosis; one that is not known here stands for itself.
    static func cause(_ code: String) -> String {
        switch code {
        case "memory": "memory"
        case "cache_fill": "a cache that fills"
        case "cpu": "CPU-bound work"
        case "cpu_bound_deploy": "a CPU-bound deploy"
        case "deploy": "a deploy"
        case "traffic_surge": "a traffic surge"
        case "slow_dependency": "a slow dependency"
        case "disk_full": "a full disk"
        case "file_descriptors": "descriptors that are not closed"
        case "network": "the network"
        case "host_memory": "the host's memory, taken by others"
        case "host_cpu": "the host's processors, taken by others"
        case "unknown": "not known"
        default: code
        }
    }
}
