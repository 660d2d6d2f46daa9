import Glibc

/// What a signature is over.
enum SignedFile {
    /// Of a file that is signed in the legacy way: it has to be in memory as a whole.
    static let mostLegacyBytes = 64 << 20

    /// - Returns: the bytes that are signed, and BLAKE2b-512 of the file.
    static func message(
        _ path: String, _ algorithm: MinisignSignature.Algorithm
    ) throws(ArtefactError) -> (message: [UInt8], digest: [UInt8]) {
        let file = try FileStream(path: path)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        var all: [UInt8] = []
        while true {
            let count = try file.read(into: buffer)
            guard count > 0 else { break }
            guard algorithm == .legacy else { continue }
            guard all.count + count <= mostLegacyBytes else {
                throw ArtefactError(
                    .tooLarge, path,
                    "over \(mostLegacyBytes >> 20) MiB, too large for a legacy signature: sign it without -l")
            }
            all += buffer[..<count]
        }
        let digest = file.finishDigest()
        return (algorithm == .legacy ? all : digest, digest)
    }
}

/// Keys and signatures: small files, read as a whole and written by a rename.
package enum SmallFile {
    /// - Throws: `.key` when it has more than `most` bytes, `.unreadable`.
    package static func read(_ path: String, most: Int) throws(ArtefactError) -> [UInt8] {
        let bytes = try FileStream(path: path).bytes(most + 1)
        guard bytes.count <= most else {
            throw ArtefactError(.key, path, "over \(most) bytes: neither a key nor a signature")
        }
        return bytes
    }

    /// - Parameter replacing: otherwise a file that is there is an error, `.exists`.
    static func write(_ text: String, to path: String, mode: mode_t, replacing: Bool) throws(ArtefactError) {
        let temporary = replacing ? "\(path).\(getpid()).tmp" : path
        let number = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard number >= 0 else {
            guard errno == EEXIST else { throw .writing(path, errno) }
            throw ArtefactError(.exists, temporary, "it is there already, and is not overwritten")
        }
        do throws(ArtefactError) {
            let writer = FileWriter(Descriptor(number), path: path, mode: UInt32(mode))
            let bytes = Array(text.utf8)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            defer { buffer.deallocate() }
            buffer.copyBytes(from: bytes)
            try writer.write(UnsafeRawBufferPointer(buffer))
            try writer.finish()
            guard !replacing || rename(temporary, path) == 0 else { throw .writing(path, errno) }
        } catch {
            unlink(temporary)
            throw error
        }
    }
}
