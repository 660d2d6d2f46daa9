import Foundation
import Logging
import OakumAPI
import OakumHTTP
import OakumModel
import OakumTestKit
import Synchronization

/// Tokens in memory; passes the contract of stores.
final class MemoryAccessStore: AccessStore {
    private let records: Mutex<[TokenRecord]>
    private let failure: Mutex<AccessStoreError?> = Mutex(nil)

    init(_ records: [TokenRecord] = []) {
        self.records = Mutex(records)
    }

    func fail(_ error: AccessStoreError?) { failure.withLock { $0 = error } }

    private func check() throws(AccessStoreError) {
        if let error = failure.withLock({ $0 }) { throw error }
    }

    func load() throws(AccessStoreError) -> [TokenRecord] {
        try check()
        return records.withLock { $0 }
    }

    func add(_ record: TokenRecord) throws(AccessStoreError) {
        try check()
        records.withLock { records in
            records.removeAll { $0.id == record.id }
            records.append(record)
        }
    }

    func remove(_ id: String) throws(AccessStoreError) -> Bool {
        try check()
        return records.withLock { records in
            let before = records.count
            records.removeAll { $0.id == id }
            return records.count < before
        }
    }
}

/// Keeps audit lines for tests to look at.
final class RecordedAudit: AuditTrail {
    private let lines = Mutex<[AuditEntry]>([])

    var entries: [AuditEntry] { lines.withLock { $0 } }

    func record(_ entry: AuditEntry) async { lines.withLock { $0.append(entry) } }
}

/// A clock that is moved by hand.
final class HandClock: Sendable {
    private let seconds = Mutex(0.0)

    var own: OwnClock { OwnClock { Samples.moment(self.seconds.withLock { $0 }) } }

    func advance(_ by: Double) { seconds.withLock { $0 += by } }
}

/// Everything a guarded console needs, with one token for each role.
struct GuardedParts: Sendable {
    let plane: FakeIncidentPlane
    let access: AccessDesk
    let audit = RecordedAudit()
    let clock: HandClock
    let tokens: [AccessRole: String]

    init(_ state: FakeIncidentPlane.State = IncidentSamples.state(), roles: [AccessRole] = AccessRole.allCases)
        async throws
    {
        plane = FakeIncidentPlane(state)
        clock = HandClock()
        access = try AccessDesk(store: MemoryAccessStore(), clock: clock.own)
        var tokens: [AccessRole: String] = [:]
        for role in roles {
            let request = TokenRequest(name: "\(role.rawValue)-person", role: role)
            tokens[role] = try await access.createToken(request, by: "test").token
        }
        self.tokens = tokens
    }

    func token(_ role: AccessRole) throws -> String {
        guard let token = tokens[role] else { throw TestKitError("no token for \(role)") }
        return token
    }

    func bearer(_ role: AccessRole) throws -> (String, String) { ("Authorization", "Bearer \(try token(role))") }

    var parts: ResponseParts {
        ResponseParts(incidents: plane, access: access, audit: audit, clock: clock.own)
    }
}

/// Keeps what is logged.
struct RecordedMessages: LogHandler {
    private final class Lines: Sendable {
        let texts = Mutex<[String]>([])
    }

    private let lines = Lines()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    var texts: [String] { lines.texts.withLock { $0 } }

    func log(event: LogEvent) { lines.texts.withLock { $0.append("\(event.message)") } }
}
