import GRDB

/// What an outbox cannot do, and what its owner can.
package enum OutboxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no room to write. Nothing was accepted: say so to whoever brought the message (503), it may come again.
    case diskFull(String)
    /// There are as many messages as the outbox may hold. As with a full disk: 503.
    case tooMany(limit: Int)
    case tooLarge(bytes: Int, limit: Int)
    /// The message itself is wrong: a mistake of the program.
    case malformed(String)
    /// Another dispatcher works on this database: two would send everything twice.
    case taken(String)
    /// The database is damaged or not ours to use. It was left as it is.
    case unusable(String)
    /// Anything else; it may pass (a lock held by another process, an I/O error).
    case failed(String)

    package var description: String {
        switch self {
        case .diskFull(let reason): "the outbox cannot grow (\(reason)). Make room; nothing else needs to be done"
        case .tooMany(let limit):
            "the outbox holds \(limit) messages that are not delivered or not heard of: it takes no more until some are"
        case .tooLarge(let bytes, let limit): "the message has \(bytes) bytes, the outbox takes at most \(limit)"
        case .malformed(let reason): reason
        case .taken(let path): "another process delivers from \(path): stop it first"
        case .unusable(let reason): "the outbox cannot be used: \(reason)"
        case .failed(let reason): "the outbox: \(reason)"
        }
    }

    /// Whatever a transaction with an outbox in it threw, in particular at its commit.
    package init(_ error: any Error) {
        guard let error = error as? DatabaseError else {
            self = error as? OutboxError ?? .failed(String(describing: error))
            return
        }
        let reason = error.message ?? error.resultCode.description
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .diskFull(reason)
            // Growing the write-ahead log's index on a full disk gives a plain I/O error.
            case .SQLITE_IOERR where Self.tellsOfFullDisk.contains(error.extendedResultCode): .diskFull(reason)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
                .unusable(reason)
            default: .failed(reason)
            }
    }

    private static let tellsOfFullDisk: [ResultCode] = [.SQLITE_IOERR_SHMSIZE, .SQLITE_IOERR_SHMMAP]
}
