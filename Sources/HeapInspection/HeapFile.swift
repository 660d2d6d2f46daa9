import CLinux
import Glibc
package import HeapProfile
import OakumModel

/// The sampler's file on disk or in a tmpfs.
package enum HeapFile {
    /// Why it could not be read.
    package enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        case cannotOpen(path: String, why: String)
        case tooLarge(path: String, bytes: Int64)
        case damaged(path: String, HeapImageError)

        package var description: String {
            switch self {
            case .cannotOpen(let path, let why): "\(path): \(why)"
            case .tooLarge(let path, let bytes):
                "\(path) is \(bytes) bytes long: more than a heap file can be (\(HeapFile.byteLimit))"
            case .damaged(let path, let error): "\(path): \(error)"
            }
        }
    }

    package static let byteLimit: Int64 = 4 << 30
    /// Bytes that are really there; the files are sparse.
    package static let dataLimit: Int64 = 512 << 20

    /// Reads the image as it is at this moment; the writer may go on.
    /// - Parameter isAlive: its process lives, so that the ages of its blocks grow until now.
    package static func read(_ path: String, isAlive: Bool) throws(Problem) -> HeapImage {
        let (descriptor, information) = try openFile(path)
        defer { close(descriptor) }
        let bytes = Int64(information.st_size)
        guard bytes <= byteLimit, Int64(information.st_blocks) * 512 <= dataLimit else {
            throw .tooLarge(path: path, bytes: bytes)
        }
        // Zeroed memory that is not touched costs nothing, as holes do in the file.
        guard let memory = calloc(max(1, Int(bytes)), 1) else { throw .tooLarge(path: path, bytes: bytes) }
        defer { free(memory) }
        fill(UnsafeMutableRawBufferPointer(start: memory, count: Int(bytes)), from: descriptor)
        let readAt = isAlive ? Uptime(seconds: Double(linux_uptime_ms()) / 1_000) : nil
        do throws(HeapImageError) {
            return try HeapImage.parse(UnsafeRawBufferPointer(start: memory, count: Int(bytes)).bytes, readAt: readAt)
        } catch {
            throw .damaged(path: path, error)
        }
    }

    /// Reads the count of bytes in use alone.
    package static func count(_ path: String) throws(Problem) -> HeapCount {
        let (descriptor, information) = try openFile(path)
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: HeapCount.headerBytes)
        let count = pread(descriptor, &header, header.count, 0)
        guard count == header.count else { throw .damaged(path: path, .tooShort(bytes: max(0, count))) }
        do throws(HeapImageError) {
            return try HeapCount.parse(header: header.span.bytes, fileBytes: Int(information.st_size))
        } catch {
            throw .damaged(path: path, error)
        }
    }

    private static func openFile(_ path: String) throws(Problem) -> (descriptor: Int32, information: stat) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, why: String(cString: linux_error_text(errno))) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .cannotOpen(path: path, why: "it is no plain file")
        }
        return (descriptor, information)
    }

    // lseek(2): GNU extensions that Swift does not see.
    private static let seekData: Int32 = 3
    private static let seekHole: Int32 = 4

    /// Copies what is not a hole. What cannot be read stays zero: an empty entry to the parser.
    private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32) {
        var position = 0
        while position < buffer.count {
            let data = lseek(descriptor, off_t(position), seekData)
            guard data >= 0, data < buffer.count else { return }
            let hole = lseek(descriptor, data, seekHole)
            let end = hole > data ? min(Int(hole), buffer.count) : buffer.count
            position = Int(data)
            while position < end {
                let count = pread(
                    descriptor, buffer.baseAddress?.advanced(by: position), end - position, off_t(position))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                position += count
            }
        }
    }
}
