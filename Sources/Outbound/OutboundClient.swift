import Synchronization

/// Outgoing HTTP and mail through libcurl: any number of transfers on threads of its own, none on the caller's.
///
/// At most `maxConcurrent` transfers run at once; up to 1,024 more wait their turn in order (more fail at once), and
/// their waiting counts against their own timeout. An idle client costs a sleeping thread and nothing else. Mail has a
/// thread of its own, begun with the first one: a server that will not say goodbye can hold it up for a second.
package final class OutboundClient: Sendable {
    private let engine: TransferEngine
    private let resolver: HostResolver
    private let maxConcurrent: Int

    private struct Mail {
        var engine: TransferEngine?
        var closed = false
    }
    private let mail = Mutex(Mail())

    /// Starts the thread.
    /// - Parameter resolver: who looks up the hosts of guarded requests.
    package init(maxConcurrent: Int = 64, resolver: HostResolver = .system) {
        self.maxConcurrent = max(1, maxConcurrent)
        self.resolver = resolver
        engine = TransferEngine(maxConcurrent: self.maxConcurrent)
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
            answer = try await send(job, through: passage, engine)
        } else {
            // A proxy looks names up itself; an address in the URL can be judged here.
            if let passage, let address = passage.host.address { _ = try passage.checked([address]) }
            answer = try await send(job, deadline: MonotonicClock.seconds() + job.allowedSeconds, engine)
        }
        guard case .response(let response) = answer else { throw .failed("mail answered a request") }
        return response
    }

    /// Hands a mail to its server. Whatever the server says is an answer; only its silence is an error.
    ///
    /// Each mail has a connection of its own. Cancelling the task ends it; whether the server has the mail is unknown then.
    package func send(_ mail: OutboundMail) async throws(OutboundError) -> MailAnswer {
        let passage = try Passage(mail)
        guard let engine = mailEngine() else { throw .cancelled }
        let answer = try await send(Job(.mail(mail)), through: passage, engine)
        guard case .mail(let reply) = answer else { throw .failed("a request answered mail") }
        return reply
    }

    /// Ends the threads; transfers under way and later ones end with `.cancelled`. May be called more than once.
    package func shutdown() {
        engine.shutdown()
        mail.withLock { mail in
            mail.closed = true
            mail.engine?.shutdown()
        }
    }

    private func mailEngine() -> TransferEngine? {
        mail.withLock { mail in
            guard !mail.closed else { return nil }
            if let engine = mail.engine { return engine }
            let engine = TransferEngine(maxConcurrent: maxConcurrent)
            engine.start()
            mail.engine = engine
            return engine
        }
    }

    // MARK: - Guarded

    /// Looks the host up once, checks all it finds, and tries those addresses, one after another while nothing answers.
    private func send(
        _ job: Job, through passage: Passage, _ engine: TransferEngine
    ) async throws(OutboundError) -> Transfer.Answer {
        let deadline = MonotonicClock.seconds() + job.allowedSeconds
        var addresses = try passage.checked(try await lookUp(passage.host, deadline: deadline, job))
        while true {
            var attempt = job
            attempt.address = addresses.removeFirst()
            guard !addresses.isEmpty else { return try await send(attempt, deadline: deadline, engine) }
            // The others get their share of the time.
            let left = deadline - MonotonicClock.seconds()
            attempt.connectSeconds = max(left / Double(addresses.count + 1), 0.001)
            do throws(OutboundError) {
                return try await send(attempt, deadline: deadline, engine)
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
        _ job: Job, deadline: Double, _ engine: TransferEngine
    ) async throws(OutboundError) -> Transfer.Answer {
        let transfer = Transfer(job: job, deadline: deadline)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if transfer.wait(continuation) {
                    engine.submit(transfer)
                }
            }
        } onCancel: {
            if transfer.finish(.failure(.cancelled)) {
                engine.abandon(transfer)
            }
        }
        return try result.get()
    }
}
