import CZlib

/// Unpacks one gzip member (RFC 1952) through zlib, in bounded memory, and stops a bomb while it unpacks.
final class Inflater: ByteStream {
    private let source: FileStream
    private let limits: ArtefactLimits
    // zlib keeps a pointer to its stream, so it must not move.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let packed = Buffer(count: 1 << 16)
    private var isAtEnd = false
    /// Bytes unpacked so far.
    private(set) var position: Int64 = 0

    /// - Throws: `.notAnArtefact` when the file does not begin as gzip does.
    init(_ source: FileStream, limits: ArtefactLimits) throws(ArtefactError) {
        self.source = source
        self.limits = limits
        stream.initialize(to: z_stream())
        // 15 bits of window, 16 for a gzip header.
        let begun = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard begun == Z_OK else { throw ArtefactError(.unreadable, source.path, "zlib does not start: \(begun)") }
        try refill()
        guard stream.pointee.avail_in >= 2, packed.bytes[0] == 0x1F, packed.bytes[1] == 0x8B else {
            throw ArtefactError(.notAnArtefact, source.path, "not gzip: an artefact is a .tar.gz or a folder")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArtefactError) -> Int {
        guard !isAtEnd, !buffer.isEmpty else { return 0 }
        stream.pointee.next_out = buffer.assumingMemoryBound(to: UInt8.self).baseAddress
        stream.pointee.avail_out = UInt32(min(buffer.count, 1 << 30))
        let room = stream.pointee.avail_out
        while stream.pointee.avail_out == room {
            if stream.pointee.avail_in == 0 { try refill() }
            let isDry = stream.pointee.avail_in == 0
            let status = inflate(stream, Z_NO_FLUSH)
            switch status {
            case Z_STREAM_END:
                isAtEnd = true
                try endOfFile()
                return try made(Int(room - stream.pointee.avail_out))
            case Z_OK: continue
            case Z_BUF_ERROR where isDry:
                throw ArtefactError(
                    .truncated, source.path, "it ends too early, after \(source.position) bytes: copy it again")
            default: throw damaged(status)
            }
        }
        return try made(Int(room - stream.pointee.avail_out))
    }

    private func made(_ count: Int) throws(ArtefactError) -> Int {
        position += Int64(count)
        guard position <= limits.streamBytes else {
            throw ArtefactError(
                .tooLarge, source.path,
                "it unpacks to more than \(shownBytes(limits.totalBytes)), which is the most taken")
        }
        let taken = max(1, source.position - Int64(stream.pointee.avail_in))
        guard position <= limits.ratioFromBytes || position / taken <= limits.ratio else {
            throw ArtefactError(
                .tooDense, source.path,
                "\(taken) bytes unpack to \(position) and more: over \(limits.ratio) to 1, a bomb and no release")
        }
        return count
    }

    private func damaged(_ status: Int32) -> ArtefactError {
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)"
        return ArtefactError(
            .damaged, source.path, "damaged gzip near byte \(source.position): \(reason): copy it again")
    }

    private func refill() throws(ArtefactError) {
        let count = try source.read(into: packed.bytes)
        stream.pointee.next_in = packed.bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        stream.pointee.avail_in = UInt32(count)
    }

    /// What follows a member would be read by one program and not by another, so nothing may.
    private func endOfFile() throws(ArtefactError) {
        if stream.pointee.avail_in == 0 { try refill() }
        guard stream.pointee.avail_in == 0 else {
            throw ArtefactError(.damaged, source.path, "bytes follow the end of the gzip stream")
        }
    }
}
