import Glibc

/// Bytes that come one after the other, from a file or out of a decompressor.
protocol ByteStream: AnyObject {
    /// Fills at most `buffer`, at least one byte of it; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArtefactError) -> Int
}

extension ByteStream {
    /// Exactly so many bytes; fewer only when it ends before. For small amounts: they are in memory.
    func bytes(_ count: Int) throws(ArtefactError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { buffer.deallocate() }
        var filled = 0
        while filled < count {
            let more = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            guard more > 0 else { break }
            filled += more
        }
        return Array(buffer[..<filled])
    }
}

/// An open file, closed with the object.
final class Descriptor {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit { close(number) }

    /// The descriptor stays open meanwhile.
    func with<Result>(_ body: (Int32) -> Result) -> Result {
        withExtendedLifetime(self) { body(number) }
    }

    /// A system call with the descriptor.
    /// - Returns: what it returned, or -errno for -1.
    func call<Number: SignedInteger>(_ body: (Int32) -> Number) -> Number {
        with { number in
            let result = body(number)
            return result == -1 ? Number(-errno) : result
        }
    }

    /// - Throws: `.unreadable`.
    func status(_ place: String) throws(ArtefactError) -> stat {
        var information = stat()
        let result = call { fstat($0, &information) }
        guard result == 0 else { throw .reading(place, -result) }
        return information
    }
}

/// Memory to read into, freed with the object.
final class Buffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) {
        bytes = .allocate(byteCount: count, alignment: 16)
    }

    deinit { bytes.deallocate() }
}

/// A file read from its beginning to its end, with a digest of all bytes: what was unpacked can be told to be what was
/// verified.
final class FileStream: ByteStream {
    let path: String
    private let descriptor: Descriptor
    private let digest = BLAKE2bStream(length: 64)
    /// Bytes read so far.
    private(set) var position: Int64 = 0

    /// - Throws: `.unreadable` when it cannot be opened or is no regular file.
    init(path: String) throws(ArtefactError) {
        // O_NONBLOCK: a pipe in this place must not hang us.
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { throw .reading(path, errno) }
        descriptor = Descriptor(number)
        self.path = path
        guard try descriptor.status(path).st_mode & S_IFMT == S_IFREG else {
            throw ArtefactError(.unreadable, path, "not a file")
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArtefactError) -> Int {
        while true {
            let count = descriptor.call { Glibc.read($0, buffer.baseAddress, buffer.count) }
            if count >= 0 {
                position += Int64(count)
                digest.update(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
                return count
            }
            guard count == -Int(EINTR) else { throw .reading(path, Int32(-count)) }
        }
    }

    /// BLAKE2b-512 of what has been read. Once only.
    func finishDigest() -> [UInt8] { digest.finish() }
}
