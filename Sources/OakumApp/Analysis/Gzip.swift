import CZlib

enum GzipProblem: Error {
    case damaged(String)
    case tooLarge
}

/// Unpacks gzip (RFC 1952) through zlib.
enum Gzip {
    /// All members of the file, one after the other, as `gzip -d` reads them.
    ///
    /// - Parameter atMost: bytes; a small file may unpack to a huge one, which is refused.
    static func unpack(_ packed: [UInt8], atMost: Int) throws(GzipProblem) -> [UInt8] {
        var stream = z_stream()
        // 15 bits of window, 16 for a gzip header.
        let begun = inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard begun == Z_OK else { throw .damaged("zlib does not start: \(begun)") }
        defer { inflateEnd(&stream) }
        var unpacked: [UInt8] = []
        unpacked.reserveCapacity(min(atMost, packed.count * 6))
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var taken = 0
        while taken < packed.count {
            let (status, used, made) = step(&stream, packed, from: taken, into: &chunk)
            taken += used
            guard unpacked.count + made <= atMost else { throw .tooLarge }
            unpacked.append(contentsOf: chunk[..<made])
            switch status {
            case Z_STREAM_END:
                guard taken < packed.count, packed[taken] == 0x1F else { return unpacked }
                inflateReset(&stream)
            case Z_OK:
                guard used > 0 || made > 0 else { throw .damaged("it ends too early") }
            default: throw .damaged(status == Z_BUF_ERROR ? "it ends too early" : "zlib error \(status)")
            }
        }
        throw .damaged("it ends too early")
    }

    private static func step(
        _ stream: inout z_stream, _ packed: [UInt8], from taken: Int, into chunk: inout [UInt8]
    ) -> (status: Int32, used: Int, made: Int) {
        packed.withUnsafeBufferPointer { input in
            chunk.withUnsafeMutableBufferPointer { output in
                let offered = min(input.count - taken, 1 << 20)
                // zlib only reads through next_in; its type lacks the const.
                stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { $0 + taken })
                stream.avail_in = UInt32(offered)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                let status = inflate(&stream, Z_NO_FLUSH)
                return (status, offered - Int(stream.avail_in), output.count - Int(stream.avail_out))
            }
        }
    }
}
