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
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.maxBytes
        else { throw missing }
        let tag = "\"\(status.st_mtim.tv_sec)-\(status.st_mtim.tv_nsec)-\(status.st_size)\""
        var headers: HTTPFields = [.contentType: type, .cacheControl: "no-cache", .eTag: tag]
        if request.headers[.ifNoneMatch] == tag {
            headers[.contentType] = nil
            return Response(status: .notModified, headers: headers)
        }
        guard let bytes = Self.read(descriptor, Int(status.st_size)) else { throw missing }
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

    private static func read(_ descriptor: CInt, _ size: Int) -> ByteBuffer? {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(size)
        while buffer.readableBytes < size {
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size - buffer.readableBytes) { space in
                max(0, Glibc.read(descriptor, space.baseAddress, min(space.count, size)))
            }
            guard count > 0 else { return nil }
        }
        return buffer
    }
}
