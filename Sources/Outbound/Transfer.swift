import Glibc

/// A request or mail on its way, and the one caller who waits for it. Identity is the object's.
final class Transfer: Sendable {
    enum Answer: Sendable {
        case response(OutboundResponse)
        case mail(MailAnswer)
    }
    typealias Outcome = Result<Answer, OutboundError>

    let job: Job
    /// On `MonotonicClock`.
    let deadline: Double
    private let answer = OneAnswer<Outcome>()

    init(job: Job, deadline: Double) {
        self.job = job
        self.deadline = deadline
    }

    /// Parks the caller. Returns false, with the caller resumed, when the transfer was cancelled before it began.
    func wait(_ continuation: CheckedContinuation<Outcome, Never>) -> Bool { answer.wait(continuation) }

    /// Gives the outcome to the caller. Only the first outcome counts; returns whether this was the first.
    @discardableResult
    func finish(_ outcome: Outcome) -> Bool { answer.finish(outcome) }

    var isFinished: Bool { answer.isFinished }
}

/// What a transfer is to do, and where exactly it goes.
struct Job: Sendable {
    enum Kind: Sendable {
        case request(OutboundRequest)
        case mail(OutboundMail)
    }

    var kind: Kind
    /// The one address to connect to, checked; nil: not guarded, or a proxy's affair.
    var address: NetworkAddress?
    /// No longer for the connection to stand; nil: as long as the whole may take.
    var connectSeconds: Double?

    init(_ kind: Kind) {
        self.kind = kind
    }

    /// The timeout, held between a millisecond and a day.
    var allowedSeconds: Double {
        let wanted =
            switch kind {
            case .request(let request): request.timeoutSeconds
            case .mail(let mail): mail.timeoutSeconds
            }
        return wanted.isNaN ? 0.001 : min(max(wanted, 0.001), 86_400)
    }
}

/// `CLOCK_MONOTONIC` in seconds: deadlines of transfers, compared on the transfer thread.
enum MonotonicClock {
    static func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
