internal import Glibc
package import RegistrationCore

// Faults that look like a leak's symptoms, and are none: what Oakum must not call a leak.

/// A release that made requests dear: each profile takes processor time and leaves nothing behind.
package final class DearProfiles: ProfileSource {
    private let source: any ProfileSource
    private let time: Duration

    package init(source: any ProfileSource, time: Duration) {
        self.source = source
        self.time = time
    }

    package func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile? {
        Self.work(time)
        return try await source.profile(of: session, request: request)
    }

    /// Uses up processor time of this thread: on a busy machine it takes longer by the clock, and costs the same.
    private static func work(_ time: Duration) {
        let end = threadTime() + time
        var hash: UInt64 = 14_695_981_039_346_656_037
        while threadTime() < end {
            for value in 0..<512 as Range<UInt64> { hash = (hash ^ value) &* 1_099_511_628_211 }
        }
        // Looked at, or the work could be left out.
        precondition(hash != 0)
    }

    private static func threadTime() -> Duration {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
    }
}

/// A database that answers slowly from some moment on: requests wait and use nothing.
package final class WaitingProfiles: ProfileSource {
    private let source: any ProfileSource
    private let time: Duration
    private let begin: ContinuousClock.Instant

    package init(source: any ProfileSource, time: Duration, from begin: ContinuousClock.Instant) {
        self.source = source
        self.time = time
        self.begin = begin
    }

    package func profile(of session: SessionInfo, request: String) async throws(StoreError) -> Profile? {
        if ContinuousClock.now >= begin {
            do {
                try await Task.sleep(for: time)
            } catch {
                throw .cancelled
            }
        }
        return try await source.profile(of: session, request: request)
    }
}

/// Sign-ups leave a record on the disk that nobody takes away. When there is no room left, they fail.
package final class AuditedAccounts: AccountStore {
    private let store: any AccountStore
    private let record: [UInt8]

    package init(store: any AccountStore, bytesPerRecord: Int) {
        self.store = store
        record = [UInt8](repeating: UInt8(ascii: "."), count: max(0, bytesPerRecord - 1)) + [UInt8(ascii: "\n")]
    }

    package func add(_ account: NewAccount) async throws(StoreError) -> Bool {
        try write()
        return try await store.add(account)
    }

    package func credentials(emailKey: String) async throws(StoreError) -> StoredCredentials? {
        try await store.credentials(emailKey: emailKey)
    }

    package func profile(accountID: String) async throws(StoreError) -> Profile? {
        try await store.profile(accountID: accountID)
    }

    package func check() async throws(StoreError) {
        try await store.check()
    }

    private func write() throws(StoreError) {
        let descriptor = open("audit.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(errno) }
        defer { close(descriptor) }
        let written = record.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if written != record.count { throw Self.failure(written < 0 ? errno : ENOSPC) }
    }

    /// Says why in the log, as services do.
    private static func failure(_ error: Int32) -> StoreError {
        let reason = String(cString: strerror(error))
        let line = Array("error: the audit record cannot be written: \(reason)\n".utf8)
        // A log that takes no line either changes nothing.
        _ = Glibc.write(STDERR_FILENO, line, line.count)
        return error == ENOSPC ? .full : .failed(reason)
    }
}
