import CCurl
import Glibc
import Synchronization

/// The thread that drives libcurl's multi interface, and the mailbox it is told things through.
///
/// Callers only touch the mailbox and `curl_multi_wakeup`, the one multi function libcurl allows from other threads
/// (curl_multi_wakeup(3)); every other call on the multi handle happens on the thread.
final class TransferEngine: Sendable {
    /// Waiting transfers beyond this are refused, so that a dead peer cannot pile up memory.
    static let maxWaiting = 1024

    private struct Mailbox {
        var submitted: [Transfer] = []
        var abandoned: [Transfer] = []
        var waiting = 0
        var closed = false
        /// The thread frees the multi handle; nobody may wake it after that.
        var gone = false
    }
    private let mailbox = Mutex(Mailbox())
    private let maxConcurrent: Int
    private let multi: MultiHandle?

    init(maxConcurrent: Int) {
        self.maxConcurrent = maxConcurrent
        multi = MultiHandle()
    }

    /// Starts the thread, which keeps the engine alive until `shutdown`.
    func start() {
        guard multi != nil else { return close() }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failed = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<TransferEngine>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard failed == 0 else {
            context.release()
            return close()
        }
        pthread_detach(thread)
    }

    /// Takes a transfer in, or ends it at once when the queue is full or the engine is closed.
    func submit(_ transfer: Transfer) {
        let refusal = mailbox.withLock { mailbox -> OutboundError? in
            guard !mailbox.closed else { return .cancelled }
            guard mailbox.waiting < Self.maxWaiting else {
                return .failed("\(Self.maxWaiting) outgoing requests are waiting already; try again later")
            }
            mailbox.waiting += 1
            mailbox.submitted.append(transfer)
            wake(mailbox)
            return nil
        }
        if let refusal {
            transfer.finish(.failure(refusal))
        }
    }

    /// Frees what a cancelled transfer holds.
    func abandon(_ transfer: Transfer) {
        mailbox.withLock { mailbox in
            guard !mailbox.closed else { return }
            mailbox.abandoned.append(transfer)
            wake(mailbox)
        }
    }

    func shutdown() {
        mailbox.withLock { mailbox in
            mailbox.closed = true
            wake(mailbox)
        }
    }

    /// No thread: everything submitted from now on ends at once.
    private func close() {
        mailbox.withLock { mailbox in
            mailbox.closed = true
            mailbox.gone = true
        }
    }

    private func wake(_ mailbox: Mailbox) {
        guard !mailbox.gone, let multi else { return }
        curl_multi_wakeup(multi.pointer)
    }

    // MARK: - On the thread

    private func run() {
        guard let multi else { return }
        ccurl_name_this_thread("outbound")
        // Signals belong to other threads; a peer that hangs up during a TLS write must not raise SIGPIPE here.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, nil)

        var transfers = TransferTable(multi: multi.pointer, maxConcurrent: maxConcurrent)
        while true {
            let (submitted, abandoned, closed) = mailbox.withLock { mailbox in
                defer {
                    mailbox.submitted.removeAll()
                    mailbox.abandoned.removeAll()
                }
                return (mailbox.submitted, mailbox.abandoned, mailbox.closed)
            }
            transfers.enqueue(submitted)
            transfers.abandon(abandoned)
            guard !closed else { break }
            let pause = transfers.drive(now: MonotonicClock.seconds())
            mailbox.withLock { $0.waiting = transfers.waitingCount + $0.submitted.count }
            curl_multi_poll(multi.pointer, nil, 0, pause, nil)
        }
        transfers.endAll()
        mailbox.withLock { mailbox in
            mailbox.gone = true
            curl_multi_cleanup(multi.pointer)
        }
    }
}

/// A libcurl multi handle. `@unchecked`: see `TransferEngine` for who may call what on it.
struct MultiHandle: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    /// Process-wide set-up of libcurl, once; thread-safe as a static.
    private static let globalInit: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    init?() {
        guard Self.globalInit == CURLE_OK, let pointer = curl_multi_init() else { return nil }
        // Idle connections kept for reuse; beyond this the oldest is closed.
        ccurl_multi_set_long(pointer, CURLMOPT_MAXCONNECTS, 16)
        self.pointer = pointer
    }
}
