import CZlib

/// A tar archive put together byte by byte, so that it can say what no packer would.
struct TarBytes {
    static let gnuMagic = Array("ustar  \u{0}".utf8)
    static let posixMagic = Array("ustar\u{0}00".utf8)

    /// One header with its data.
    struct Item {
        var name: [UInt8]
        var flag: Character = "0"
        var data: [UInt8] = []
        var link: [UInt8] = []
        var mode = 0o644
        /// Nil: that of the data.
        var size: Int?
        var magic = TarBytes.posixMagic
        var prefix: [UInt8] = []

        init(_ name: String, _ flag: Character = "0", link: String = "") {
            self.name = Array(name.utf8)
            self.flag = flag
            self.link = Array(link.utf8)
        }

        static func file(_ name: String, _ data: [UInt8], mode: Int = 0o644) -> Item {
            var item = Item(name)
            item.data = data
            item.mode = mode
            return item
        }

        /// A pax header for what follows.
        static func pax(_ records: [(String, String)], flag: Character = "x") -> Item {
            var item = Item("PaxHeaders/x", flag)
            item.data = records.flatMap { TarBytes.record($0.0, $0.1) }
            return item
        }

        var bytes: [UInt8] {
            var block = [UInt8](repeating: 0, count: 512)
            func put(_ field: [UInt8], at offset: Int) {
                block.replaceSubrange(offset..<offset + field.count, with: field)
            }
            put(Array(name.prefix(100)), at: 0)
            put(TarBytes.octal(mode, 8), at: 100)
            put(TarBytes.octal(0, 8), at: 108)
            put(TarBytes.octal(0, 8), at: 116)
            put(TarBytes.octal(size ?? data.count, 12), at: 124)
            put(TarBytes.octal(0, 12), at: 136)
            put(Array(flag.utf8.prefix(1)), at: 156)
            put(Array(link.prefix(100)), at: 157)
            put(magic, at: 257)
            put(Array(prefix.prefix(155)), at: 345)
            TarBytes.sum(&block)
            return block + data + [UInt8](repeating: 0, count: -data.count & 511)
        }
    }

    var items: [Item] = []
    /// The end: two blocks of zeros.
    var end = [UInt8](repeating: 0, count: 1024)

    var bytes: [UInt8] { items.flatMap(\.bytes) + end }
    var packed: [UInt8] { TarBytes.gzip(bytes) }

    /// Writes the checksum of a header into it.
    static func sum(_ block: inout [UInt8]) {
        block.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
        let sum = block.reduce(0) { $0 + Int($1) }
        block.replaceSubrange(148..<156, with: octal(sum, 7) + [32])
    }

    static func octal(_ number: Int, _ width: Int) -> [UInt8] {
        let digits = String(number, radix: 8)
        return Array((String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits).utf8) + [0]
    }

    /// "LENGTH KEY=VALUE\n", the length counting itself.
    static func record(_ key: String, _ value: String) -> [UInt8] {
        let rest = key.utf8.count + value.utf8.count + 3
        var length = rest + 1
        while rest + String(length).utf8.count != length { length += 1 }
        return Array("\(length) \(key)=\(value)\n".utf8)
    }

    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        var stream = z_stream()
        let begun = deflateInit2_(
            &stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(begun == Z_OK)
        defer { deflateEnd(&stream) }
        var packed = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 64)
        var input = bytes
        let count = input.withUnsafeMutableBufferPointer { input in
            packed.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
                return output.count - Int(stream.avail_out)
            }
        }
        return Array(packed[..<count])
    }
}
