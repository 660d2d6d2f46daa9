/// Outgoing HTTP through libcurl: any number of transfers on one thread of its own, none on the caller's.
///
/// At most `maxConcurrent` transfers run at once; up to 1,024 more wait their turn in order (more fail at once), and
/// their waiting counts against their own timeout. An idle client costs a sleeping thread and nothing else.
package final class OutboundClient: Sendable {
    private let engine: TransferEngine

    /// Starts the thread.
    package init(maxConcurrent: Int = 64) {
        engine = TransferEngine(maxConcurrent: max(1, maxConcurrent))
        engine.start()
    }

    deinit {
        engine.shutdown()
    }

    /// Sends a request and collects the answer. Any status is an answer; only its absence is an error.
    ///
    /// Cancelling the task ends the transfer and throws `.cancelled` without delay.
    package func send(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let transfer = Transfer(request: request, deadline: MonotonicClock.seconds() + request.allowedSeconds)
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

    /// Ends the thread; transfers under way and later ones end with `.cancelled`. May be called more than once.
    package func shutdown() {
        engine.shutdown()
    }
}
