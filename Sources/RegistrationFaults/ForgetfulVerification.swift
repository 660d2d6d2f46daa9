package import RegistrationCore
internal import Synchronization

/// Incident A's fault: what is needed to verify an address is made at sign-up, filed under the address's account, and
/// never taken out again, since no code removes it. Unbounded on purpose.
package final class ForgetfulVerification: AccountStore {
    private let store: any AccountStore
    private let bytesPerContext: Int

    package init(store: any AccountStore, bytesPerContext: Int) {
        self.store = store
        self.bytesPerContext = bytesPerContext
    }

    package func add(_ account: NewAccount) async throws(StoreError) -> Bool {
        let isNew = try await store.add(account)
        VerificationContextStore.shared.keep(VerificationContext(account: account, byteCount: bytesPerContext))
        return isNew
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
}

/// What a verification mail would be written from.
final class VerificationContext: Sendable {
    let publicID: String
    let address: String
    /// Written in full, so that every page of it is really held.
    let renderedMail: [UInt8]

    init(account: NewAccount, byteCount: Int) {
        publicID = account.publicID
        address = account.email.display
        let line = Array("Please confirm that \(account.email.display) is yours.\r\n".utf8)
        renderedMail = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, written in
            for index in 0..<byteCount { buffer.initializeElement(at: index, to: line[index % line.count]) }
            written = byteCount
        }
    }
}

/// Filed by public id, which is new for each sign-up: nothing is ever overwritten, and nothing is ever removed.
final class VerificationContextStore: Sendable {
    static let shared = VerificationContextStore()

    private let contexts = Mutex<[String: VerificationContext]>([:])

    func keep(_ context: VerificationContext) {
        contexts.withLock { $0[context.publicID] = context }
    }
}
