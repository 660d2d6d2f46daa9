import OakumModel
import Outbound

/// What a receiver's answer means for a page: pure.
struct AnswerJudgement {
    /// Who answered, for people: "slack", "the webhook at example.org".
    var receiver: String
    var now: WallTime
    var secrets: Redaction

    /// By the status alone; the body adds words.
    func answer(_ response: OutboundResponse) -> SendAnswer {
        let words = words(response)
        switch response.status {
        case 200..<300: return .delivered(receipt: "status \(response.status)")
        case 300..<400:
            return .refused(
                words: "\(words); redirects are not followed: put the address it points to into the configuration")
        case 408, 425, 429, 500..<600:
            return .again(after: response.header("Retry-After").flatMap(retryAfter), words: words)
        case 410: return .disabled(words: "\(words): it wants no more pages")
        case 400..<500: return .refused(words: words)
        default: return .again(after: nil, words: words)
        }
    }

    /// What the lack of an answer means.
    func answer(_ error: OutboundError) -> SendAnswer {
        switch error {
        case .cannotConnect(let text), .timedOut(let text), .tooLarge(let text), .failed(let text):
            .again(after: nil, words: secrets.applied(to: ReadablePage.clean(text, limit: 400)))
        case .refused(let text):
            .refused(
                words: secrets.applied(to: ReadablePage.clean(text, limit: 400)) + " (`network: allow:` in oakum.yaml)")
        case .cancelled: .again(after: nil, words: "the attempt was cut short")
        }
    }

    /// Status and the beginning of what the receiver says about it.
    func words(_ response: OutboundResponse) -> String {
        let said = said(response)
        return "\(receiver) answered \(response.status)" + (said.isEmpty ? "" : " (\(said))")
    }

    /// The body's beginning as one line without secrets.
    func said(_ response: OutboundResponse) -> String {
        // Secrets go first: a cut could leave half of one.
        let text = secrets.applied(to: String(decoding: response.body.prefix(4096), as: UTF8.self))
        return ReadablePage.clean(text, limit: 160)
    }

    /// Seconds, or a date (RFC 9110, section 10.2.3), held between now and a day from now.
    func retryAfter(_ text: String) -> Double? {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return min(Double(text) ?? 86_400, 86_400)
        }
        guard let date = UTCText.httpDate(text) else { return nil }
        return min(max(Double(date) - Double(now.milliseconds) / 1000, 0), 86_400)
    }
}

/// Takes secrets out of words that came from elsewhere: a receiver may echo what it was sent.
struct Redaction {
    /// The longest first, so that a part does not spoil the whole.
    private let words: [String]

    /// - Parameter secrets: taken out as they are; of addresses also their parts behind the host.
    init(_ secrets: [String]) {
        var words: Set<String> = []
        for secret in secrets {
            words.insert(secret)
            guard let scheme = secret.firstRange(of: "://") else { continue }
            let rest = secret[scheme.upperBound...]
            if let at = rest.lastIndex(of: "@") {
                words.formUnion(rest[..<at].split(separator: ":").map(String.init))
            }
            guard let slash = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { continue }
            words.insert(String(rest[slash...]))
            words.formUnion(rest[slash...].split { "/?&=".contains($0) }.map(String.init).filter { $0.count >= 6 })
        }
        self.words = words.filter { $0.count >= 4 }.sorted { ($1.count, $0) < ($0.count, $1) }
    }

    func applied(to text: String) -> String {
        words.reduce(text) { $0.replacing($1, with: "(secret)") }
    }
}
