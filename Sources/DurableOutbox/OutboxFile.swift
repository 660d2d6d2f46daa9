import GRDB

/// Transactions that cancelling the task does not cut off: what was learnt of a message has to be written all the same.
struct OutboxFile: Sendable {
    let database: any DatabaseWriter

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(OutboxError) -> Value {
        let result: Result<Value, OutboxError> = await withCheckedContinuation { continuation in
            database.asyncWriteWithoutTransaction { db in
                continuation.resume(returning: Self.result(.immediate, body, db))
            }
        }
        return try result.get()
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(OutboxError) -> Value {
        let result: Result<Value, OutboxError> = await withCheckedContinuation { continuation in
            database.asyncRead { access in
                do {
                    continuation.resume(returning: .success(try body(try access.get())))
                } catch {
                    continuation.resume(returning: .failure(OutboxError(error)))
                }
            }
        }
        return try result.get()
    }

    private static func result<Value>(
        _ kind: Database.TransactionKind, _ body: (Database) throws -> Value, _ db: Database
    ) -> Result<Value, OutboxError> {
        do {
            var value: Value?
            try db.inTransaction(kind) {
                value = try body(db)
                return .commit
            }
            guard let value else { return .failure(.failed("a transaction ended without a result")) }
            return .success(value)
        } catch {
            return .failure(OutboxError(error))
        }
    }
}
