import CCurl
import Glibc
import Synchronization

/// Mails on their way, each on a thread of its own.
///
/// libcurl's multi interface waits for the answer to a message, and for the one to QUIT, with the whole thread (smtp.c,
/// smtp_done and smtp_disconnect): there, one slow mail server would hold up all the others.
final class MailThreads: Sendable {
    /// At once; more are refused, so that a dead server cannot pile up threads.
    static let limit = 64

    private struct State {
        var running: [Transfer] = []
        var closed = false
    }
    private let state = Mutex(State())

    /// Takes a mail in, or ends it at once.
    func submit(_ transfer: Transfer) {
        let refusal = state.withLock { state -> OutboundError? in
            guard !state.closed else { return .cancelled }
            guard state.running.count < Self.limit else {
                return .failed("\(Self.limit) mails are under way already; try again later")
            }
            state.running.append(transfer)
            return nil
        }
        if let refusal {
            transfer.finish(.failure(refusal))
            return
        }
        let started = onDetachedThread { [self] in
            ccurl_name_this_thread("outbound-mail")
            transfer.finish(Self.outcome(of: transfer))
            forget(transfer)
        }
        if !started {
            transfer.finish(.failure(.failed("no thread for a mail")))
            forget(transfer)
        }
    }

    /// Ends what is under way; the threads notice within a second.
    func shutdown() {
        let running = state.withLock { state in
            state.closed = true
            return state.running
        }
        for transfer in running { transfer.finish(.failure(.cancelled)) }
    }

    private func forget(_ transfer: Transfer) {
        state.withLock { state in state.running.removeAll { $0 === transfer } }
    }

    private static func outcome(of transfer: Transfer) -> Transfer.Outcome {
        do throws(OutboundError) {
            let left = transfer.deadline - MonotonicClock.seconds()
            let easy = try EasyTransfer(transfer: transfer, remainingSeconds: left)
            defer { easy.free() }
            return easy.outcome(curl_easy_perform(easy.handle))
        } catch {
            return .failure(error)
        }
    }
}

/// Starts a thread that nobody waits for and no signal reaches; returns whether there is one.
func onDetachedThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            // Signals belong to other threads; a peer that hangs up during a TLS write must not raise SIGPIPE here.
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_SETMASK, &all, nil)
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    guard code == 0 else {
        box.release()
        return false
    }
    pthread_detach(thread)
    return true
}
