import OakumModel
import Recycling

extension PoolNote {
    /// The note as a line of the journal.
    func event(service: String, watch: WorkerWatch?, boughtSeconds: Double?, at now: Moment) -> Event {
        switch self {
        case .serving(let number, let after):
            guard watch?.startedAt != nil else {
                return Event(
                    kind: .workerReady, at: now, service: service, worker: number, process: watch?.process,
                    message: "\(service)/\(number) serves")
            }
            return Event(
                kind: .workerReady, at: now, service: service, worker: number, process: watch?.process,
                message: "\(service)/\(number) serves, \(Words.fixed(after, 1)) s after its start",
                facts: ["after_s": Words.fixed(after, 2)])
        case .overdue(let number, let after):
            return Event(
                kind: .workerFailed, at: now, service: service, worker: number, process: watch?.process,
                message: "\(service)/\(number) is not ready after \(Words.seconds(after)): look at its log")
        case .leftOver(let number, let served):
            let why = served ? "there are enough without it" : "it did not come to serve"
            return Event(
                kind: served ? .recycleFinished : .recycleFailed, at: now, service: service, worker: number,
                process: watch?.process,
                message: "\(service)/\(number) goes, one more than wanted after a recycle that was cut short: \(why)",
                facts: ["cause": "left_over"])
        case .recycleStarted(let request, let successor):
            return Event(
                kind: .recycleStarted, at: now, service: service, worker: request.worker, process: watch?.process,
                message: "\(service)/\(request.worker) is replaced by \(service)/\(successor): \(request.reason)",
                verdict: watch?.verdict, facts: ["cause": request.cause.rawValue, "successor": "\(successor)"])
        case .recycleFinished(let request, let successor, let seconds):
            var facts = [
                "cause": request.cause.rawValue, "successor": "\(successor)", "took_s": Words.fixed(seconds, 2),
            ]
            var message =
                "\(service)/\(successor) took over from \(service)/\(request.worker) in \(Words.fixed(seconds, 1)) s"
            if let boughtSeconds {
                facts["predicted_s"] = Words.fixed(boughtSeconds, 1)
                message += "; that buys about \(Words.seconds(boughtSeconds)), it does not fix the leak"
            }
            return Event(
                kind: .recycleFinished, at: now, service: service, worker: request.worker, message: message,
                facts: facts)
        case .recycleFailed(let request, let successor, let why, let retryIn):
            let next =
                request.cause == .byHand
                ? "it is not tried again by itself, and no other recycle begins for \(Words.seconds(retryIn))"
                : "tried again in \(Words.seconds(retryIn)) at the earliest"
            return Event(
                kind: .recycleFailed, at: now, service: service, worker: request.worker, process: watch?.process,
                message: "\(service)/\(request.worker) could not be replaced: \(why). It stays; \(next)",
                facts: ["cause": request.cause.rawValue, "successor": "\(successor)"])
        case .trialStarted, .rolloverStarted, .rolloverFinished, .rolloverFailed:
            return Event(kind: .release, at: now, service: service, message: "\(service): \(releaseWords)")
        }
    }

    private var releaseWords: String {
        switch self {
        case .trialStarted(let trial):
            "\(trial.canaries.count) canaries of \(trial.candidate) start beside as many fresh workers"
        case .rolloverStarted(let release, let workers): "\(workers) workers are replaced by workers of \(release)"
        case .rolloverFinished(let release, let seconds):
            "every worker runs \(release), after \(Words.fixed(seconds, 1)) s"
        case .rolloverFailed(let release, let worker, let why): "worker \(worker) of \(release) failed: \(why)"
        default: ""
        }
    }

    /// What a deploy has to hear of.
    var deployAction: WatchAction? {
        switch self {
        case .trialStarted(let trial): .trial(trial)
        case .rolloverFinished: .rolledOver
        case .rolloverFailed(_, let worker, let why): .rolloverFailed("worker \(worker): \(why)")
        default: nil
        }
    }
}

extension ExitReason {
    /// In words: "exit code 1", "signal 9".
    var words: String {
        switch self {
        case .code(let code): "exit code \(code)"
        case .signal(let signal): "signal \(signal)"
        case .unknown: "exit status unknown"
        }
    }
}
