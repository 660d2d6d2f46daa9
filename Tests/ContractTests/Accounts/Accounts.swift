import RegistrationCore

/// Things to store, by number.
enum Accounts {
    static func hash(_ number: Int) -> String {
        let salt = String(("s\(number)" + String(repeating: "x", count: 22)).prefix(22))
        return "$argon2id$v=19$m=8,t=1,p=1$\(salt)$\(String(repeating: "t", count: 43))"
    }

    static func account(_ email: String, hash number: Int) throws -> NewAccount {
        let address = try EmailAddress(email)
        return NewAccount(
            publicID: number == 0 ? "id of \(address.key)" : "id \(number) of \(address.key)", email: address,
            passwordHash: try PasswordHash(phc: hash(number)), createdAt: UnixTime(seconds: 1))
    }

    static func add(_ email: String, to store: any AccountStore) async throws -> Int64 {
        let account = try account(email, hash: 0)
        _ = try await store.add(account)
        return try await store.credentials(emailKey: account.email.key)?.account ?? -1
    }

    static func digest(_ number: Int) throws(TooLarge) -> SessionDigest {
        var bytes = [UInt8](repeating: 0, count: 32)
        bytes[0] = UInt8(number & 0xFF)
        bytes[1] = UInt8(number >> 8 & 0xFF)
        guard let digest = SessionDigest(bytes: bytes) else { throw TooLarge() }
        return digest
    }

    static func session(_ number: Int, of account: Int64, from: Int64, to: Int64) throws -> NewSession {
        NewSession(
            account: account, digest: try digest(number), createdAt: UnixTime(seconds: from),
            expiresAt: UnixTime(seconds: to))
    }

    struct TooLarge: Error {}
}
