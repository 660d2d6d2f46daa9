import Glibc
import OakumEngine

/// The calls that can fail for want of room, so that tests can let them fail at any byte.
package struct SegmentDisk: Sendable {
    /// As write(2): the number of bytes written, or −1 with errno set.
    package var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int
    /// As ftruncate(2).
    package var truncate: @Sendable (_ descriptor: Int32, _ length: Int64) -> Int32

    package init(
        write: @escaping @Sendable (Int32, UnsafeRawBufferPointer) -> Int,
        truncate: @escaping @Sendable (Int32, Int64) -> Int32
    ) {
        self.write = write
        self.truncate = truncate
    }

    package static let system = SegmentDisk(
        write: { Glibc.write($0, $1.baseAddress, $1.count) }, truncate: { Glibc.ftruncate($0, off_t($1)) })
}

/// An open segment: appended to, closed with its owner.
final class SegmentWriter: Sendable {
    private let descriptor: Int32
    let path: String
    private let disk: SegmentDisk

    /// Creates the file; it must not exist.
    init(creating path: String, disk: SegmentDisk) throws(StoreError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw fileError("create", path) }
        self.path = path
        self.disk = disk
    }

    deinit { close(descriptor) }

    enum Outcome {
        case written
        /// Nothing is there of it: the file is as long as before.
        case refused(StoreError)
        /// A part of it is there and could not be taken back: nothing may follow in this file.
        case torn(StoreError)
    }

    func append(_ bytes: [UInt8], length: Int64) -> Outcome {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { disk.write(descriptor, $0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if count == 0 { errno = ENOSPC }
                let error = fileError("write", path)
                guard written > 0 else { return .refused(error) }
                return disk.truncate(descriptor, length) == 0 ? .refused(error) : .torn(error)
            }
            written += count
        }
        return .written
    }

    func synchronize() {
        // Only a power cut could tell the difference, and a torn tail is dropped by every reader.
        _ = fdatasync(descriptor)
    }
}

/// The error of the last call, by errno.
func fileError(_ what: String, _ path: String) -> StoreError {
    let code = errno
    let reason = String(cString: strerror(code))
    switch code {
    case ENOSPC, EDQUOT, EFBIG:
        return .diskFull("cannot \(what) \(path): \(reason). Make room; the history goes on by itself.")
    case EACCES, EPERM, EROFS:
        return .unusable("cannot \(what) \(path): \(reason). Oakum's user must be able to write there.")
    default: return .failed("cannot \(what) \(path): \(reason)")
    }
}

/// The beginning of a file, at most `limit` bytes; nil when it is gone (retention has overtaken the reader).
func readFile(_ path: String, limit: Int) throws(StoreError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0, errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw fileError("open", path) }
    defer { close(descriptor) }
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
        while count < limit {
            let got = read(descriptor, buffer.baseAddress?.advanced(by: count), limit - count)
            if got < 0, errno == EINTR { continue }
            failed = got < 0
            guard got > 0 else { return }
            count += got
        }
    }
    guard !failed else { throw fileError("read", path) }
    return bytes
}
