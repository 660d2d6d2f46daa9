import CCurl

/// Sets options and remembers the first refusal.
final class EasySetup {
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

    func common(milliseconds: Int, connectMilliseconds: Int) {
        check(ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1))
        check(ccurl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0))
        check(ccurl_set_long(handle, CURLOPT_TIMEOUT_MS, max(1, milliseconds)))
        check(ccurl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, max(1, min(milliseconds, connectMilliseconds))))
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
        freshConnection()
    }

    private func freshConnection() {
        check(ccurl_set_long(handle, CURLOPT_FORBID_REUSE, 1))
        check(ccurl_set_long(handle, CURLOPT_FRESH_CONNECT, 1))
    }

    /// Binds the transfer to its checked address.
    func address(_ pinned: PinnedParts) {
        guard let connectTo = pinned.connectTo, let only = pinned.onlyAddress else { return }
        check(ccurl_set_connect_to(handle, connectTo))
        check(ccurl_set_only_address(handle, only))
    }

    // MARK: - HTTP

    func request(
        _ request: OutboundRequest, _ pinned: PinnedParts, _ answer: AnswerBuffer, _ watch: ProgressWatch
    ) {
        check(ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https"))
        proxy(request)
        if !request.reusesConnections { freshConnection() }
        certificates(request.trustedCertificates)
        method(request.method, body: request.body)
        check(ccurl_set_headers(handle, pinned.headers))
        progress(watch)
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

    private func proxy(_ request: OutboundRequest) {
        switch request.proxy {
        case .url(let url): check(ccurl_set_string(handle, CURLOPT_PROXY, url))
        case .environment where request.network != nil: check(ccurl_set_string(handle, CURLOPT_PROXY, ""))
        case .environment: break
        }
    }

    private func method(_ method: String, body: [UInt8]) {
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

    private func certificates(_ file: String?) {
        guard let file else { return }
        check(ccurl_set_string(handle, CURLOPT_CAINFO, file))
        check(ccurl_set_string(handle, CURLOPT_CAPATH, nil))
    }

    private func progress(_ listener: ProgressListener) {
        let context = Unmanaged.passUnretained(listener).toOpaque()
        check(
            ccurl_set_prereq(
                handle,
                { context, _, _, _, _ in
                    guard let context else { return CURL_PREREQFUNC_ABORT }
                    Unmanaged<ProgressListener>.fromOpaque(context).takeUnretainedValue().connectionStands()
                    return CURL_PREREQFUNC_OK
                }, context))
        check(
            ccurl_set_progress(
                handle,
                { context, _, _, _, up in
                    guard let context else { return 1 }
                    let goesOn = Unmanaged<ProgressListener>.fromOpaque(context).takeUnretainedValue().wrote(Int(up))
                    return goesOn ? 0 : 1
                }, context))
    }

    // MARK: - Mail

    func mail(_ mail: OutboundMail, _ pinned: PinnedParts, _ dialogue: MailDialogue) {
        check(ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps"))
        check(ccurl_set_string(handle, CURLOPT_PROXY, ""))
        let tls =
            switch mail.security {
            case .implicitTLS, .startTLS: CURLUSESSL_ALL
            case .opportunistic: CURLUSESSL_TRY
            case .none: CURLUSESSL_NONE
            }
        check(ccurl_set_long(handle, CURLOPT_USE_SSL, Int(tls.rawValue)))
        certificates(mail.trustedCertificates)
        if let user = mail.user, let password = mail.password {
            check(ccurl_set_string(handle, CURLOPT_USERNAME, user))
            check(ccurl_set_string(handle, CURLOPT_PASSWORD, password))
        }
        check(ccurl_set_string(handle, CURLOPT_MAIL_FROM, "<\(mail.sender)>"))
        check(ccurl_set_mail_recipients(handle, pinned.recipients))
        // A kept connection would be closed by the server some day, and noticed in the middle of a page.
        freshConnection()
        upload(mail.message.count, dialogue)
        progress(dialogue)
    }

    private func upload(_ length: Int, _ dialogue: MailDialogue) {
        let context = Unmanaged.passUnretained(dialogue).toOpaque()
        check(
            ccurl_set_upload(
                handle,
                { data, size, count, context in
                    guard let data, let context else { return 0 }
                    let buffer = UnsafeMutableRawBufferPointer(start: data, count: size * count)
                    return Unmanaged<MailDialogue>.fromOpaque(context).takeUnretainedValue().take(into: buffer)
                }, context, length))
        let line: ccurl_data_callback = { data, size, count, context in
            guard let data, let context else { return 0 }
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            return Unmanaged<MailDialogue>.fromOpaque(context).takeUnretainedValue().line(bytes)
        }
        check(ccurl_set_header_sink(handle, line, context))
        // Nothing of a mail dialogue is a body; what libcurl takes for one goes nowhere.
        check(ccurl_set_body_sink(handle, { _, size, count, _ in size * count }, context))
    }
}
