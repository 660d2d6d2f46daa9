/// Alerts that nobody is to be paged for, for a while. They are still recorded.
package struct Silence: Hashable, Sendable, Codable, Identifiable {
    package var id: Int64
    /// nil: any service.
    package var service: String?
    /// nil: any kind.
    package var kind: AlertKind?
    /// nil: any fingerprint.
    package var fingerprint: String?
    package var from: WallTime
    /// Always has an end.
    package var until: WallTime
    package var author: String
    package var reason: String

    package init(
        id: Int64, service: String? = nil, kind: AlertKind? = nil, fingerprint: String? = nil, from: WallTime,
        until: WallTime, author: String, reason: String
    ) {
        self.id = id
        self.service = service
        self.kind = kind
        self.fingerprint = fingerprint
        self.from = from
        self.until = until
        self.author = author
        self.reason = reason
    }

    package func covers(_ alert: Alert, at now: WallTime) -> Bool {
        now >= from && now < until && (service == nil || service == alert.service)
            && (kind == nil || kind == alert.kind) && (fingerprint == nil || fingerprint == alert.fingerprint)
    }

    private enum CodingKeys: String, CodingKey {
        case id, service, kind, fingerprint, author, reason
        case from = "from_ms"
        case until = "until_ms"
    }
}
