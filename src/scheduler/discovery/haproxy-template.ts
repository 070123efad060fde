/** The end of a backend and of a service. */
const balanced = `{{#if this.cookie}}
    cookie provision_server insert indirect nocache
{{/if}}
{{#if this.healthPath}}
    option httpchk GET {{this.healthPath}}
{{/if}}
{{#each this.servers}}
    server {{this.name}} {{this.address}}{{#if ../cookie}} cookie {{this.cookie}}{{/if}}{{#if this.backup}} backup{{/if}}
{{/each}}
`;

/**
 * The built-in haproxy.cfg, in Handlebars. What it sees is HaproxyView. A server that refuses or does not answer a
 * connection in time is marked down by the request that saw it (observe, error-limit 1, on-error mark-down); that
 * request is sent to another (redispatch). A check brings it back. A GET whose server died before it answered is asked
 * of another, too; what may change something never is.
 */
export const haproxyTemplate = `# Written by provision (haproxy-bridge); changes here are overwritten.
global
    log /dev/log local0
    log /dev/log local1 notice
    stats socket {{adminSocket}} mode 660 level admin expose-fd listeners
    stats timeout 30s
{{#if runAs}}
    chroot {{runAs.chroot}}
    user {{runAs.user}}
    group {{runAs.group}}
{{/if}}
    daemon
    # Workers of before a reload end with their last connection, and at the latest then.
    hard-stop-after 15m

defaults
    log global
    mode http
    option dontlognull
    option http-keep-alive
    balance leastconn
    retries 3
    option redispatch 1
    # Backups are instances that are about to be killed; all of them help while nobody else is up.
    option allbackups
    timeout connect {{connectTimeoutMs}}ms
    timeout client 1m
    timeout server 1m
    timeout queue 10s
    timeout check 2s
    timeout http-request 10s
    timeout http-keep-alive 10s
    timeout tunnel 1h
    default-server init-addr last,libc,none check inter 2s fastinter 500ms downinter 1s fall 2 rise 1 observe layer4 error-limit 1 on-error mark-down
{{#if stats}}

listen stats
    bind 127.0.0.1:{{stats.port}}
    stats enable
    stats uri /
    stats refresh 10s
    stats auth {{stats.user}}:{{stats.password}}
{{/if}}
{{#if front}}

frontend http-in
    bind *:{{front.port}}
{{#if front.certificates}}
    bind *:443 ssl crt {{front.certificates}} alpn h2,http/1.1
{{/if}}
    option httplog
    option forwardfor
    http-request set-header X-Forwarded-Proto https if { ssl_fc }
    http-request set-var(txn.host) req.hdr(host),lower,field(1,:)
    http-request set-var(txn.label) req.hdr(host),lower,field(1,:),field(1,.)
{{#each front.redirects}}
    http-request redirect scheme https code 301 if {{this}} !{ ssl_fc } !{ req.hdr(X-Forwarded-Proto) -i https }
{{/each}}
{{#each front.routes}}
    use_backend {{this.backend}} if {{this.condition}}
{{/each}}
{{/if}}
{{#if appIds}}

frontend marathon-app-id
    bind *:{{appIds.port}}
{{#each appIds.routes}}
    use_backend {{this.backend}} if { req.hdr(x-marathon-app-id) -m str {{this.id}} }
{{/each}}
{{/if}}
{{#each backends}}

backend {{this.name}}
    balance {{this.balance}}
{{#if @root.repeatsReads}}
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless METH_GET
{{/if}}
${balanced}{{/each}}
{{#each services}}

listen {{this.name}}
    bind {{this.bind}}
    mode {{this.mode}}
    balance {{this.balance}}
{{#if this.repeatsReads}}
    retry-on conn-failure empty-response
    http-request disable-l7-retry unless METH_GET
{{/if}}
${balanced}{{/each}}
`;
