import Glibc
import HTTPTypes
import Hummingbird
import NIOCore

/// Serves the files of one folder, not of folders in it.
struct StaticFiles: Sendable {
    let folder: String

    /// No asset of the console is near this.
    private static let maxBytes = 4 << 20
    private static let types = [
        "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
        "png": "image/png", "txt": "text/plain; charset=utf-8",
    ]

    func has(_ name: String) -> Bool {
        access("\(folder)/\(name)", R_OK) == 0
    }

    /// Small files, a few a page load: read on the spot. Browsers keep them and ask whether they have changed.
    @concurrent
    func respond(_ name: String, to request: Request, missing: HTTPFailure) async throws(HTTPFailure) -> Response {
        guard let type = Self.type(of: name) else { throw missing }
        let descriptor = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw missing }
        defer { close(descriptor) }
        guard let bytes = Self.read(descriptor) else { throw missing }
        let tag = "\"\(String(Self.hash(bytes), radix: 36))\""
        var headers: HTTPFields = [.contentType: type, .cacheControl: "no-cache", .eTag: tag]
        if request.headers[.ifNoneMatch] == tag {
            headers[.contentType] = nil
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
    }

    /// Nil for a name that is not one plain file name of a kind we serve: this is what keeps paths inside the folder.
    private static func type(of name: String) -> String? {
        let plain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard plain, !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return nil }
        return types[String(name[name.index(after: dot)...])]
    }

    /// Nil for what is no file (a folder gives EISDIR), or is longer than any asset.
    private static func read(_ descriptor: CInt) -> ByteBuffer? {
        var buffer = ByteBuffer()
        while buffer.readableBytes <= maxBytes {
            var count = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 65_536) { space in
                count = Glibc.read(descriptor, space.baseAddress, space.count)
                return max(0, count)
            }
            if count == 0 { return buffer }
            guard count > 0 else { return nil }
        }
        return nil
    }

    /// FNV-1a, 64 bits: tells one edition of a file from the next, and guards nothing.
    private static func hash(_ bytes: ByteBuffer) -> UInt64 {
        bytes.readableBytesView.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
