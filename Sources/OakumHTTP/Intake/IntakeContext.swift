package import OakumModel

/// What decoders know beside the message itself.
package struct IntakeContext: Sendable {
    /// When it came in.
    package var at: Moment
    /// The service meant where a message names none: the token's.
    package var service: String?

    package init(at: Moment, service: String? = nil) {
        self.at = at
        self.service = service
    }

    /// A wall time told by another system, on both clocks. Times to come count as now: another machine's clock may be ahead.
    func moment(_ wall: WallTime?) -> Moment {
        guard let wall, wall < at.wall else { return at }
        let ago = Double(at.wall.milliseconds - wall.milliseconds) / 1000
        return Moment(uptime: Uptime(seconds: at.uptime.seconds - ago), wall: wall)
    }
}

/// Why a message was not taken. Each text says what is expected.
package struct IntakeProblem: Error, Hashable, Sendable {
    package var words: String

    package init(_ words: String) {
        self.words = words
    }
}

/// What all kinds of messages are made of, within the limits of `Alert`.
enum IntakeText {
    static let fingerprintBytes = 512
    static let summaryBytes = 1_024
    static let detailBytes = 2_000
    static let details = 20
    static let labels = 64
    static let labelBytes = 1_024
    static let serviceBytes = 64

    static func tree(_ bytes: [UInt8]) throws(IntakeProblem) -> JSONNode {
        do throws(JSONNode.Malformed) {
            return try JSONNode(parsing: bytes)
        } catch {
            throw IntakeProblem("the body is not JSON: \(error.what) after \(error.at) bytes")
        }
    }

    /// What identifies a condition for a source: as it is where it fits, else its digest, so that two long ones do not become
    /// one.
    static func fingerprint(_ source: String, _ key: String) -> String {
        let plain = Plain.line(key, bytes: fingerprintBytes)
        let whole = "\(source):\(key)"
        guard plain == key, whole.utf8.count <= fingerprintBytes else {
            return "\(source):sha256:\(Hex.encode(Crypto.sha256(Array(key.utf8))))"
        }
        return whole
    }

    static func summary(_ text: String) -> String { Plain.line(text, bytes: summaryBytes) }

    /// One detail a line of the text; blank lines go.
    static func details(_ text: String?) -> [String] {
        (text ?? "").split(whereSeparator: \.isNewline).prefix(details * 2)
            .map { Plain.line(String($0), bytes: detailBytes) }.filter { !$0.isEmpty }
    }

    /// Of too many those that come first by name.
    static func labels(_ node: JSONNode?) -> [String: String] {
        var labels: [String: String] = [:]
        for (name, value) in (node?.object ?? [:]).sorted(by: { $0.key < $1.key }) where labels.count < Self.labels {
            guard let words = value.words else { continue }
            labels[Plain.line(name, bytes: 128)] = Plain.line(words, bytes: labelBytes)
        }
        return labels
    }

    static func service(_ text: String?) -> String? {
        let name = Plain.line(text ?? "", bytes: serviceBytes)
        return name.isEmpty ? nil : name
    }

    /// An address a page may link to; nil for any other kind of text.
    static func link(_ text: String?) -> String? {
        guard let text, text.utf8.count <= 2_000, text.hasPrefix("https://") || text.hasPrefix("http://"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return text
    }

    /// What others call it. Nil for a word nobody knows.
    static func severity(_ text: String?) -> Severity? {
        switch text?.lowercased() {
        case "critical", "crit", "fatal", "emergency", "page", "high", "p1", "sev1": .critical
        case "error", "err", "major", "p2", "sev2": .error
        case "warning", "warn", "minor", "medium", "ticket", "p3", "sev3": .warning
        case "info", "information", "informational", "notice", "low", "none", "debug", "p4", "p5": .info
        default: nil
        }
    }
}
