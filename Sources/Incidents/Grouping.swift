import OakumModel

/// Which alerts belong together.
enum Grouping {
    /// Alerts with the same key belong to one incident while it is open.
    static func key(of alert: Alert) -> String {
        if let service = alert.service { return "service \(service)" }
        switch alert.source {
        case .rule, .verdict: return "host"
        case .hand: return "hand \(alert.fingerprint)"
        case .intake: return "outside \(alert.labels["alertname"] ?? alert.labels["class"] ?? alert.fingerprint)"
        }
    }

    /// Memory that runs full shows as all of these: a leak explains them.
    static func isSymptomOfLeak(_ kind: AlertKind) -> Bool {
        switch kind {
        case .memory, .errorRate, .latency, .unresponsive, .cpu, .pressure, .fileDescriptors, .restarts,
            .outOfMemoryKill, .businessRate, .diagnosis, .outside:
            true
        case .memoryLeak, .disk, .noData, .delivery: false
        }
    }

    /// FNV-1a, 64 bits: of a hundred thousand fingerprints two agree by chance once in four thousand million times.
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
