import CCurl
import Glibc

/// One transfer as libcurl sees it: the easy handle and everything it points to. Lives on the engine's thread alone.
struct EasyTransfer {
    let transfer: Transfer
    let handle: UnsafeMutableRawPointer
    private let answer: AnswerBuffer
    private let headers: UnsafeMutablePointer<curl_slist>?
    /// Host or socket path, for errors.
    private let peer: String

    /// Throws `.failed` when the request is malformed.
    init(transfer: Transfer, remainingSeconds: Double) throws(OutboundError) {
        let request = transfer.request
        let destination = try Destination(request.target)
        try request.checkSyntax()
        guard let handle = curl_easy_init() else { throw .failed("libcurl has no memory for another transfer") }
        let answer = AnswerBuffer(limit: request.maxResponseBytes)
        let headers = Self.headerList(request)
        let setup = EasySetup(handle: handle)
        setup.common(milliseconds: Int((remainingSeconds * 1000).rounded(.up)))
        setup.destination(destination)
        setup.method(request.method, body: request.body)
        setup.answer(answer)
        ccurl_set_headers(handle, headers)
        self.transfer = transfer
        self.handle = handle
        self.answer = answer
        self.headers = headers
        peer = destination.peer
        if let failure = setup.failure {
            free()
            throw .failed("libcurl: \(String(cString: curl_easy_strerror(failure)))")
        }
    }

    func free() {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
    }

    func outcome(_ code: CURLcode) -> Transfer.Outcome {
        if answer.overflowed {
            return .failure(.tooLarge("\(peer) answered with more than \(answer.limit) bytes"))
        }
        switch code {
        case CURLE_OK:
            let status = ccurl_get_long(handle, CURLINFO_RESPONSE_CODE)
            return .success(OutboundResponse(status: status, headers: answer.headers, body: answer.body))
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return .failure(.cannotConnect("cannot connect to \(peer): \(reason(code))"))
        case CURLE_OPERATION_TIMEDOUT:
            let limit = transfer.request.allowedSeconds
            return .failure(.timedOut("no complete answer from \(peer) within \(limit) s"))
        default:
            return .failure(.failed("request to \(peer) failed: \(reason(code))"))
        }
    }

    private func reason(_ code: CURLcode) -> String {
        let number = ccurl_get_long(handle, CURLINFO_OS_ERRNO)
        if code == CURLE_COULDNT_CONNECT, number > 0 {
            return String(cString: strerror(Int32(number)))
        }
        return String(cString: curl_easy_strerror(code))
    }

    private static func headerList(_ request: OutboundRequest) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        // libcurl would wait for "100 Continue" and invent a form content type.
        var lines = ["Expect:"]
        if !request.headers.contains(where: { $0.0.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        // libcurl sends a header without a value only when it ends in ";".
        lines += request.headers.map { $0.1.isEmpty ? "\($0.0);" : "\($0.0): \($0.1)" }
        for line in lines {
            list = curl_slist_append(list, line) ?? list
        }
        return list
    }
}

/// Sets options and remembers the first refusal.
private final class EasySetup {
    private let handle: UnsafeMutableRawPointer
    private(set) var failure: CURLcode?

    init(handle: UnsafeMutableRawPointer) {
        self.handle = handle
    }

    private func check(_ code: CURLcode) {
        if code != CURLE_OK, failure == nil {
            failure = code
        }
    }

    func common(milliseconds: Int) {
        check(ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1))
        check(ccurl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0))
        check(ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https"))
        check(ccurl_set_long(handle, CURLOPT_TIMEOUT_MS, max(1, milliseconds)))
        check(ccurl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, milliseconds)))
        check(ccurl_set_string(handle, CURLOPT_USERAGENT, "oakum"))
        // A name lookup that hangs must not hold up the other transfers when this one is removed.
        check(ccurl_set_long(handle, CURLOPT_QUICK_EXIT, 1))
    }

    func destination(_ destination: Destination) {
        check(ccurl_set_string(handle, CURLOPT_URL, destination.url))
        guard let path = destination.socketPath else { return }
        check(ccurl_set_string(handle, CURLOPT_UNIX_SOCKET_PATH, path))
        check(ccurl_set_string(handle, CURLOPT_PROXY, ""))
        check(ccurl_set_long(handle, CURLOPT_PATH_AS_IS, 1))
        check(ccurl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)))
        // A local connection is cheap; a kept one would stand in the way of a peer that drains.
        check(ccurl_set_long(handle, CURLOPT_FORBID_REUSE, 1))
        check(ccurl_set_long(handle, CURLOPT_FRESH_CONNECT, 1))
    }

    func method(_ method: String, body: [UInt8]) {
        switch method {
        case "GET" where body.isEmpty: check(ccurl_set_long(handle, CURLOPT_HTTPGET, 1))
        case "HEAD": check(ccurl_set_long(handle, CURLOPT_NOBODY, 1))
        default:
            check(ccurl_set_long(handle, CURLOPT_POST, 1))
            body.withUnsafeBytes { bytes in
                // Without an address libcurl would ask a read callback for the body.
                let empty = UnsafeRawPointer(bitPattern: 1)
                check(ccurl_set_body(handle, bytes.baseAddress ?? empty, bytes.count))
            }
            check(ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, method))
        }
    }

    func answer(_ answer: AnswerBuffer) {
        let context = Unmanaged.passUnretained(answer).toOpaque()
        check(
            ccurl_set_body_sink(
                handle,
                { data, size, count, context in
                    guard let data, let context else { return 0 }
                    let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
                    return Unmanaged<AnswerBuffer>.fromOpaque(context).takeUnretainedValue().body(bytes)
                }, context))
        check(
            ccurl_set_header_sink(
                handle,
                { data, size, count, context in
                    guard let data, let context else { return 0 }
                    let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
                    return Unmanaged<AnswerBuffer>.fromOpaque(context).takeUnretainedValue().header(bytes)
                }, context))
    }
}
