/// Outgoing HTTP and mail through libcurl: any number of transfers on threads of its own, none on the caller's.
///
/// At most `maxConcurrent` transfers run at once; up to 1,024 more wait their turn in order (more fail at once), and
/// their waiting counts against their own timeout. An idle client costs a sleeping thread and nothing else. Each mail has
/// a thread of its own while it is under way, at most 64.
package final class OutboundClient: Sendable {
    private let engine: TransferEngine
    private let resolver: HostResolver
    private let mails = MailThreads()

    /// Starts the thread.
    /// - Parameter resolver: who looks up the hosts of guarded requests.
    package init(maxConcurrent: Int = 64, resolver: HostResolver = .system) {
        self.resolver = resolver
        engine = TransferEngine(maxConcurrent: max(1, maxConcurrent))
        engine.start()
    }

    deinit {
        shutdown()
    }

    /// Sends a request and collects the answer. Any status is an answer; only its absence is an error.
    ///
    /// Cancelling the task ends the transfer and throws `.cancelled` without delay.
    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let job = Job(.request(request))
        let passage = try Passage(request)
        let usesProxy = if case .url = request.proxy { true } else { false }
        let answer: Transfer.Answer
        if let passage, !usesProxy {
            answer = try await send(job, through: passage)
        } else {
            // A proxy looks names up itself; an address in the URL can be judged here.
            if let passage, let address = passage.host.address { _ = try passage.checked([address]) }
            answer = try await send(job, deadline: MonotonicClock.seconds() + job.allowedSeconds)
        }
        guard case .response(let response) = answer else { throw .failed("mail answered a request") }
        return response
    }

    /// Hands a mail to its server. Whatever the server says is an answer; only its silence is an error.
    ///
    /// Each mail has a connection of its own. Cancelling the task ends it; whether the server has the mail is unknown then.
    package func send(_ mail: OutboundMail) async throws(OutboundError) -> MailAnswer {
        let passage = try Passage(mail)
        let answer = try await send(Job(.mail(mail)), through: passage)
        guard case .mail(let reply) = answer else { throw .failed("a request answered mail") }
        return reply
    }

    /// Ends the threads; transfers under way and later ones end with `.cancelled`. May be called more than once.
    package func shutdown() {
        engine.shutdown()
        mails.shutdown()
    }

    // MARK: - Guarded

    /// Looks the host up once, checks all it finds, and tries those addresses, one after another while nothing answers.
    private func send(
        _ job: Job, through passage: Passage
    ) async throws(OutboundError) -> Transfer.Answer {
        let deadline = MonotonicClock.seconds() + job.allowedSeconds
        var addresses = try passage.checked(try await lookUp(passage.host, deadline: deadline, job))
        while true {
            var attempt = job
            attempt.address = addresses.removeFirst()
            guard !addresses.isEmpty else { return try await send(attempt, deadline: deadline) }
            // The others get their share of the time.
            let left = deadline - MonotonicClock.seconds()
            attempt.connectSeconds = max(left / Double(addresses.count + 1), 0.001)
            do throws(OutboundError) {
                return try await send(attempt, deadline: deadline)
            } catch {
                guard case .cannotConnect = error else { throw error }
            }
        }
    }

    private func lookUp(
        _ host: HostName, deadline: Double, _ job: Job
    ) async throws(OutboundError) -> [NetworkAddress] {
        if let address = host.address { return [address] }
        let left = deadline - MonotonicClock.seconds()
        let outcome = await withTaskGroup(of: Result<[NetworkAddress], OutboundError>?.self) { group in
            group.addTask { [resolver] in
                do throws(OutboundError) {
                    return .success(try await resolver.addresses(host.text))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                // Cut short when the lookup is done first.
                try? await Task.sleep(for: .seconds(max(left, 0)))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard !Task.isCancelled else { throw .cancelled }
        guard let outcome else {
            throw .timedOut("\(host.text) could not be looked up within \(job.allowedSeconds) s")
        }
        return try outcome.get()
    }

    private func send(
        _ job: Job, deadline: Double
    ) async throws(OutboundError) -> Transfer.Answer {
        let transfer = Transfer(job: job, deadline: deadline)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard transfer.wait(continuation) else { return }
                switch job.kind {
                case .request: engine.submit(transfer)
                case .mail: mails.submit(transfer)
                }
            }
        } onCancel: {
            // A mail's thread sees by itself that nobody waits any more.
            if transfer.finish(.failure(.cancelled)), case .request = job.kind {
                engine.abandon(transfer)
            }
        }
        return try result.get()
    }
}
