import GRDB
import Glibc
import Migrations
import OakumEngine

/// Turns what SQLite says into what the operator can do.
struct StoreErrors {
    /// "journal", "incidents".
    var what: String
    var path: String

    func storeError(_ error: any Error) -> StoreError {
        switch error {
        case let error as StoreError: return error
        case let error as MigrationError: return migrationError(error)
        case let error as DatabaseError: return databaseError(error)
        default: return .failed("the \(what) \(path): \(error)")
        }
    }

    func damaged(_ reason: String) -> StoreError {
        .unusable(
            "the \(what) \(path) is damaged (\(reason)). It was not changed. Move it and its -wal and -shm files away "
                + "to begin anew; `sqlite3 \(path) .recover` may save what is in it")
    }

    func cannotOpen(_ code: Int32) -> StoreError {
        let reason = String(cString: strerror(code))
        guard code == ENOSPC || code == EDQUOT else {
            return .unusable(
                "the \(what) \(path) cannot be opened: \(reason). Oakum's user must be able to write there")
        }
        return full(reason)
    }

    private func full(_ reason: String) -> StoreError {
        .diskFull("the \(what) \(path) cannot grow (\(reason)). Make room; writing goes on by itself")
    }

    private func migrationError(_ error: MigrationError) -> StoreError {
        switch error {
        case .unusable(let reason) where reason.contains("full"): full(reason)
        case .unusable(let reason): damaged(reason)
        default: .unusable("the \(what) \(path): \(error.description)")
        }
    }

    private func databaseError(_ error: DatabaseError) -> StoreError {
        let reason = error.message ?? error.resultCode.description
        switch error.resultCode {
        case .SQLITE_FULL: return full(reason)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: return damaged(reason)
        case .SQLITE_IOERR where isFull: return full(reason)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            return .unusable(
                "the \(what) \(path) cannot be opened: \(reason). Oakum's user must be able to write there")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return .failed(
                "the \(what) \(path): \(reason). Another program holds it: `fuser -v \(path)` names it; end that, and "
                    + "writing goes on by itself")
        case .SQLITE_IOERR:
            return .failed("the \(what) \(path): \(reason). `dmesg` tells whether the disk fails")
        default: return .failed("the \(what) \(path): \(reason)")
        }
    }

    /// Growing the shared-memory file on a full disk gives a plain I/O error.
    private var isFull: Bool {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return false }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) < 128 << 10
    }
}
