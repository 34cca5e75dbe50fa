using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace Althing.Tests.ObjectStore;

/// <summary>The object store as clients of Amazon S3 use it that nobody has changed.</summary>
public class ObjectClientTests
{
    /// <summary>The platform that the clients are pointed at.</summary>
    private protected virtual Task<House> Up() => House.Up();

    async Task<House> WithBoto()
    {
        Tool.Need("python3");
        var house = await Up();
        if ((await house.TryRun("python3", "-c", "import boto3")).ExitCode == 0)
            return house;
        await house.DisposeAsync();
        Assert.Skip("python3-boto3 is not installed.");
        return house;
    }

    static async Task Python(House house, string script)
    {
        await File.WriteAllTextAsync(Path.Combine(house.Folder, "try.py"), $"HTTPS, CA = 'https://localhost:{house.HttpsPort}', '{Path.Combine(house.Data, "ca.pem")}'\n" + Prelude + script + "\nprint('well')\n");
        Assert.Contains("well", (await house.Run("python3", "try.py")).Output, StringComparison.Ordinal);
    }

    const string Prelude = """
        import base64, boto3, hashlib, io, json, os, urllib.error, urllib.request, zlib
        from boto3.s3.transfer import TransferConfig
        from botocore.client import Config
        from botocore.exceptions import ClientError
        s3 = boto3.client('s3', config=Config(retries={'max_attempts': 0}, read_timeout=20))
        def refused(call, **arguments):
            try:
                call(**arguments)
            except ClientError as refusal:
                return refusal.response['Error']['Code'], refusal.response['ResponseMetadata']['HTTPStatusCode']
            return None
        def read(key, **more):
            return s3.get_object(Bucket=B, Key=key, **more)['Body'].read()
        B = 'a-bucket'
        s3.create_bucket(Bucket=B, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})

        """;

    [Fact]
    public async Task Keys_of_every_kind_come_back_with_what_was_said_of_them_and_are_listed_in_order()
    {
        await using var house = await WithBoto();
        await Python(house, """
            keys = ['a b.txt', 'a+b', 'é漢😀', 'ﬀ', 'x/y/z', 'x//z', 'x/../up', 'tab\tkey', '~`!@#$%^&*()_=[]{}|;:",<>?', 'trailing/', 'per%20cent', 'u\u001fs', 'u', 'ctl\x01']
            for key in keys:
                s3.put_object(Bucket=B, Key=key, Body=key.encode(), Metadata={'name': 'v1', 'Other': 'x  y'}, ContentType='text/plain', CacheControl='no-cache', Tagging='a=1&b=two')
                got = s3.get_object(Bucket=B, Key=key)
                assert got['Body'].read() == key.encode(), key
                assert got['Metadata'].keys() == {'name', 'other'} and got['ContentType'] == 'text/plain' and got['TagCount'] == 2 and got['CacheControl'] == 'no-cache', got
            ordered = sorted(keys, key=lambda k: k.encode())
            assert [o['Key'] for o in s3.list_objects_v2(Bucket=B)['Contents']] == ordered
            for operation in ['list_objects', 'list_objects_v2']:
                pages = s3.get_paginator(operation).paginate(Bucket=B, PaginationConfig={'PageSize': 2})
                assert [o['Key'] for page in pages for o in page.get('Contents', [])] == ordered, operation
                found = []
                for page in s3.get_paginator(operation).paginate(Bucket=B, Delimiter='/', PaginationConfig={'PageSize': 1}):
                    found += [o['Key'] for o in page.get('Contents', [])] + [o['Prefix'] for o in page.get('CommonPrefixes', [])]
                assert sorted(found) == sorted([k for k in keys if '/' not in k] + ['x/', 'trailing/']), found
            under = s3.list_objects_v2(Bucket=B, Prefix='x/', Delimiter='/')
            assert [o['Prefix'] for o in under['CommonPrefixes']] == ['x/../', 'x//', 'x/y/'], under
            assert [o['Key'] for o in s3.list_objects_v2(Bucket=B, StartAfter='x/y/z')['Contents']] == [k for k in ordered if k.encode() > b'x/y/z']
            # XML 1.0 cannot say all of them, and S3 refuses it as well.
            assert refused(s3.delete_objects, Bucket=B, Delete={'Objects': [{'Key': 'ctl\x01'}]}) == ('MalformedXML', 400)
            sayable = [k for k in keys if k not in ('u\u001fs', 'ctl\x01')]
            deleted = s3.delete_objects(Bucket=B, Delete={'Objects': [{'Key': k} for k in sayable]})
            assert len(deleted['Deleted']) == len(sayable) and 'Errors' not in deleted
            for key in ('u\u001fs', 'ctl\x01'):
                s3.delete_object(Bucket=B, Key=key)
            s3.delete_bucket(Bucket=B)
            assert refused(s3.list_objects_v2, Bucket=B) == ('NoSuchBucket', 404)
            """);
    }

    [Fact]
    public async Task Ranges_and_conditions_are_honoured_and_a_connection_can_be_used_on_after_a_refusal()
    {
        await using var house = await WithBoto();
        await Python(house, """
            s3.put_object(Bucket=B, Key='r', Body=b'0123456789')
            for wanted, expected in {'bytes=2-4': b'234', 'bytes=-3': b'789', 'bytes=8-': b'89', 'bytes=5-100': b'56789', 'junk': b'0123456789'}.items():
                assert read('r', Range=wanted) == expected, wanted
            assert refused(s3.get_object, Bucket=B, Key='r', Range='bytes=10-') == ('InvalidRange', 416)
            there = s3.head_object(Bucket=B, Key='r')
            assert there['ETag'] == '"%s"' % hashlib.md5(b'0123456789').hexdigest()
            assert refused(s3.get_object, Bucket=B, Key='r', IfMatch='"x"') == ('PreconditionFailed', 412)
            assert refused(s3.get_object, Bucket=B, Key='r', IfNoneMatch=there['ETag']) == ('304', 304)
            assert refused(s3.get_object, Bucket=B, Key='r', IfModifiedSince=there['LastModified']) == ('304', 304)
            assert refused(s3.get_object, Bucket=B, Key='r', IfUnmodifiedSince='2000-01-01T00:00:00Z') == ('PreconditionFailed', 412)
            s3.put_object(Bucket=B, Key='empty', Body=b'')
            assert refused(s3.put_object, Bucket=B, Key='r', Body=b'abc', IfNoneMatch='*') == ('PreconditionFailed', 412)
            assert refused(s3.put_object, Bucket=B, Key='r', Body=b'abc', IfMatch='"x"') == ('PreconditionFailed', 412)
            assert refused(s3.put_object, Bucket='no-such', Key='r', Body=b'abc') == ('NoSuchBucket', 404)
            s3.put_object(Bucket=B, Key='r', Body=b'new', IfMatch=there['ETag'])
            assert read('r') == b'new' and read('empty') == b''
            assert refused(s3.get_bucket_acl, Bucket=B) == ('NotImplemented', 501)
            assert refused(s3.put_object, Bucket=B, Key='e', Body=b'', ServerSideEncryption='AES256') == ('NotImplemented', 501)
            assert refused(s3.create_bucket, Bucket='Bad_Name', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'}) == ('InvalidBucketName', 400)
            assert refused(s3.create_bucket, Bucket=B, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'}) == ('BucketAlreadyOwnedByYou', 409)
            assert refused(s3.delete_bucket, Bucket=B) == ('BucketNotEmpty', 409)
            assert s3.get_bucket_location(Bucket=B)['LocationConstraint'] == 'eu-west-1'
            """);
    }

    [Fact]
    public async Task Digests_are_compared_and_given_back_and_what_does_not_match_is_not_kept()
    {
        await using var house = await WithBoto();
        await Python(house, """
            for algorithm in ['CRC32', 'SHA1', 'SHA256']:
                put = s3.put_object(Bucket=B, Key=algorithm, Body=b'123456789', ChecksumAlgorithm=algorithm)
                got = s3.get_object(Bucket=B, Key=algorithm, ChecksumMode='ENABLED')
                assert put['Checksum' + algorithm] == got['Checksum' + algorithm] and got['Body'].read() == b'123456789'
            assert got['ChecksumSHA256'] == base64.b64encode(hashlib.sha256(b'123456789').digest()).decode()
            assert refused(s3.put_object, Bucket=B, Key='bad', Body=b'abc', ContentMD5=base64.b64encode(hashlib.md5(b'x').digest()).decode()) == ('BadDigest', 400)
            assert refused(s3.put_object, Bucket=B, Key='bad', Body=b'abc', ChecksumCRC32='AAAAAA==') == ('BadDigest', 400)
            assert refused(s3.get_object, Bucket=B, Key='bad') == ('NoSuchKey', 404)
            # Over TLS clients send the checksum behind the content.
            secure = boto3.client('s3', endpoint_url=HTTPS, verify=CA)
            for algorithm in ['CRC32', 'SHA256']:
                for size in [0, 1, 65536, 65537, 400_000]:
                    body = os.urandom(size)
                    put = secure.put_object(Bucket=B, Key='behind', Body=io.BytesIO(body), ChecksumAlgorithm=algorithm, ContentEncoding='x-own')
                    got = s3.get_object(Bucket=B, Key='behind', ChecksumMode='ENABLED')
                    assert got['Body'].read() == body and got['Checksum' + algorithm] == put['Checksum' + algorithm] and got['ContentEncoding'] == 'x-own', got
            s3.delete_object(Bucket=B, Key='behind')
            """);
        await HasBlobs(3, house);
    }

    [Fact]
    public async Task Parts_become_one_object_that_is_read_whole_by_range_and_by_part()
    {
        await using var house = await WithBoto();
        await Python(house, """
            data = os.urandom(23_000_001)
            s3.upload_fileobj(io.BytesIO(data), B, 'multi', Config=TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20))
            assert s3.head_object(Bucket=B, Key='multi')['ETag'].endswith('-3"')
            whole = io.BytesIO()
            s3.download_fileobj(B, 'multi', whole)
            assert whole.getvalue() == data
            assert read('multi', Range='bytes=8388600-16777300') == data[8388600:16777301]
            part = s3.get_object(Bucket=B, Key='multi', PartNumber=2)
            assert part['PartsCount'] == 3 and part['Body'].read() == data[8 << 20:16 << 20]

            upload = s3.create_multipart_upload(Bucket=B, Key='full', ChecksumAlgorithm='CRC32', ChecksumType='FULL_OBJECT')['UploadId']
            parts = []
            for number, (begin, end) in enumerate([(0, 6 << 20), (6 << 20, 12 << 20), (12 << 20, 13 << 20)], 1):
                made = s3.upload_part(Bucket=B, Key='full', UploadId=upload, PartNumber=number, Body=data[begin:end], ChecksumAlgorithm='CRC32')
                parts.append({'PartNumber': number, 'ETag': made['ETag'], 'ChecksumCRC32': made['ChecksumCRC32']})
            assert [p['Size'] for p in s3.list_parts(Bucket=B, Key='full', UploadId=upload)['Parts']] == [6 << 20, 6 << 20, 1 << 20]
            assert [u['Key'] for u in s3.list_multipart_uploads(Bucket=B)['Uploads']] == ['full']
            done = s3.complete_multipart_upload(Bucket=B, Key='full', UploadId=upload, MultipartUpload={'Parts': parts}, ChecksumType='FULL_OBJECT')
            assert done['ChecksumCRC32'] == base64.b64encode(zlib.crc32(data[:13 << 20]).to_bytes(4, 'big')).decode()
            assert s3.complete_multipart_upload(Bucket=B, Key='full', UploadId=upload, MultipartUpload={'Parts': parts})['ETag'] == done['ETag']

            upload = s3.create_multipart_upload(Bucket=B, Key='copied')['UploadId']
            first = s3.upload_part_copy(Bucket=B, Key='copied', UploadId=upload, PartNumber=1, CopySource={'Bucket': B, 'Key': 'multi'}, CopySourceRange='bytes=0-9999999')['CopyPartResult']['ETag']
            last = s3.upload_part(Bucket=B, Key='copied', UploadId=upload, PartNumber=2, Body=b'tail')['ETag']
            complete = lambda *wanted: refused(s3.complete_multipart_upload, Bucket=B, Key='copied', UploadId=upload, MultipartUpload={'Parts': [{'PartNumber': n, 'ETag': e} for n, e in wanted]})
            assert complete((1, '"0"')) == ('InvalidPart', 400)
            assert complete((2, last), (1, first)) == ('InvalidPartOrder', 400)
            assert complete((1, first), (2, last)) is None
            assert read('copied') == data[:10_000_000] + b'tail'
            upload = s3.create_multipart_upload(Bucket=B, Key='given up')['UploadId']
            s3.upload_part(Bucket=B, Key='given up', UploadId=upload, PartNumber=1, Body=b'x')
            s3.abort_multipart_upload(Bucket=B, Key='given up', UploadId=upload)
            assert refused(s3.list_parts, Bucket=B, Key='given up', UploadId=upload) == ('NoSuchUpload', 404)
            for key in ['multi', 'full', 'copied']:
                s3.delete_object(Bucket=B, Key=key)
            """);
        await HasBlobs(0, house);
    }

    [Fact]
    public async Task Older_versions_stay_can_be_read_and_come_back()
    {
        await using var house = await WithBoto();
        await Python(house, """
            s3.put_object(Bucket=B, Key='old', Body=b'before')
            s3.put_bucket_versioning(Bucket=B, VersioningConfiguration={'Status': 'Enabled'})
            ids = [s3.put_object(Bucket=B, Key='v', Body=b'%d' % i)['VersionId'] for i in range(5)]
            s3.put_object(Bucket=B, Key='old', Body=b'after')
            assert read('v', VersionId=ids[1]) == b'1' and read('old', VersionId='null') == b'before' and read('old') == b'after'
            marker = s3.delete_object(Bucket=B, Key='v')
            assert marker['DeleteMarker'] and refused(s3.get_object, Bucket=B, Key='v') == ('NoSuchKey', 404)
            assert refused(s3.get_object, Bucket=B, Key='v', VersionId=marker['VersionId']) == ('MethodNotAllowed', 405)
            found = []
            for page in s3.get_paginator('list_object_versions').paginate(Bucket=B, Prefix='v', PaginationConfig={'PageSize': 2}):
                found += [v['VersionId'] for v in page.get('Versions', []) + page.get('DeleteMarkers', [])]
            assert len(found) == 6 and set(found) == {marker['VersionId'], *ids}, found
            s3.delete_object(Bucket=B, Key='v', VersionId=marker['VersionId'])
            assert read('v') == b'4'
            s3.delete_object(Bucket=B, Key='v', VersionId=ids[4])
            assert read('v') == b'3'
            s3.put_bucket_versioning(Bucket=B, VersioningConfiguration={'Status': 'Suspended'})
            s3.put_object(Bucket=B, Key='v', Body=b'n1')
            s3.put_object(Bucket=B, Key='v', Body=b'n2')
            versions = s3.list_object_versions(Bucket=B, Prefix='v')['Versions']
            assert [v['VersionId'] for v in versions] == ['null', *ids[3::-1]], versions
            assert refused(s3.delete_bucket, Bucket=B) == ('BucketNotEmpty', 409)
            boto3.resource('s3').Bucket(B).object_versions.delete()
            s3.delete_bucket(Bucket=B)
            """);
        await HasBlobs(0, house);
    }

    [Fact]
    public async Task Presigned_addresses_of_both_kinds_work_until_they_are_changed()
    {
        await using var house = await WithBoto();
        await Python(house, """
            import socket
            lookup = socket.getaddrinfo
            socket.getaddrinfo = lambda host, *rest, **more: lookup('127.0.0.1' if host.endswith('localhost') else host, *rest, **more)
            s3.put_object(Bucket=B, Key='a b', Body=b'content')
            for kind in ['s3', 's3v4']:
                for style in ['path', 'virtual']:
                    signer = boto3.client('s3', config=Config(signature_version=kind, s3={'addressing_style': style}))
                    url = signer.generate_presigned_url('get_object', Params={'Bucket': B, 'Key': 'a b', 'ResponseContentType': 'x/y'})
                    got = urllib.request.urlopen(url)
                    assert got.read() == b'content' and got.headers['content-type'] == 'x/y', url
                    url = signer.generate_presigned_url('put_object', Params={'Bucket': B, 'Key': 'up ' + kind, 'ContentType': 'text/html'})
                    put = lambda address: urllib.request.urlopen(urllib.request.Request(address, data=b'by url', method='PUT', headers={'Content-Type': 'text/html'}))
                    assert put(url).status == 200 and read('up ' + kind) == b'by url'
                    for wrong in [url.replace('/up', '/uq'), url.replace('Expires=', 'Expires=1')]:
                        try:
                            put(wrong)
                            assert False, wrong
                        except urllib.error.HTTPError as refusal:
                            assert refusal.code in (400, 403), refusal.code
            """);
    }

    [Fact]
    public async Task A_user_may_do_what_the_policy_says_and_other_accounts_see_nothing()
    {
        await using var house = await WithBoto();
        await Python(house, """
            s3.put_object(Bucket=B, Key='open/a', Body=b'a')
            s3.put_object(Bucket=B, Key='closed/b', Body=b'b')
            iam = boto3.client('iam')
            iam.create_user(UserName='reader')
            iam.put_user_policy(UserName='reader', PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [
                {'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': f'arn:aws:s3:::{B}/open/*'},
                {'Effect': 'Allow', 'Action': 's3:ListBucket', 'Resource': f'arn:aws:s3:::{B}', 'Condition': {'StringLike': {'s3:prefix': 'open/*'}}}]}))
            key = iam.create_access_key(UserName='reader')['AccessKey']
            reader = boto3.client('s3', aws_access_key_id=key['AccessKeyId'], aws_secret_access_key=key['SecretAccessKey'])
            assert reader.get_object(Bucket=B, Key='open/a')['Body'].read() == b'a'
            assert refused(reader.get_object, Bucket=B, Key='closed/b') == ('AccessDenied', 403)
            assert refused(reader.put_object, Bucket=B, Key='open/c', Body=b'') == ('AccessDenied', 403)
            # Who may not list is not told what is there.
            assert refused(reader.get_object, Bucket=B, Key='open/none') == ('AccessDenied', 403)
            assert reader.list_objects_v2(Bucket=B, Prefix='open/')['KeyCount'] == 1
            assert refused(reader.list_objects_v2, Bucket=B) == ('AccessDenied', 403)
            assert refused(reader.list_buckets) == ('AccessDenied', 403)
            deleted = reader.delete_objects(Bucket=B, Delete={'Objects': [{'Key': 'open/a'}]})
            assert deleted['Errors'][0]['Code'] == 'AccessDenied' and read('open/a') == b'a'
            forger = boto3.client('s3', aws_access_key_id=key['AccessKeyId'], aws_secret_access_key='wrong')
            assert refused(forger.list_buckets) == ('SignatureDoesNotMatch', 403)
            assert refused(boto3.client('s3', aws_access_key_id='AKIANOBODY', aws_secret_access_key='x').list_buckets) == ('InvalidAccessKeyId', 403)
            """);
    }

    [Fact]
    public async Task The_command_line_copies_lists_synchronises_and_removes()
    {
        Tool.Need("aws");
        await using var house = await Up();
        var content = Path.Combine(house.Folder, "big");
        var bytes = new byte[200_000_000];
        new Random(1).NextBytes(bytes);
        await File.WriteAllBytesAsync(content, bytes);
        var tree = Directory.CreateDirectory(Path.Combine(house.Folder, "tree", "inner"));
        for (var i = 0; i < 20; i++)
            await File.WriteAllTextAsync(Path.Combine(tree.FullName, string.Create(CultureInfo.InvariantCulture, $"{i}.txt")), $"file {i}");
        await house.Run("aws", "s3", "mb", "s3://a-bucket");
        await house.Run("aws", "s3", "cp", content, "s3://a-bucket/big", "--no-progress");
        await house.Run("aws", "s3", "cp", "s3://a-bucket/big", content + "-again", "--no-progress");
        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(await File.ReadAllBytesAsync(content + "-again")));
        await house.Run("aws", "s3", "sync", Path.Combine(house.Folder, "tree"), "s3://a-bucket/tree", "--no-progress");
        Assert.Equal(20, (await house.Run("aws", "s3", "ls", "s3://a-bucket/tree/inner/")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("PRE tree/", (await house.Run("aws", "s3", "ls", "s3://a-bucket")).Output, StringComparison.Ordinal);
        Assert.Empty((await house.Run("aws", "s3", "sync", Path.Combine(house.Folder, "tree"), "s3://a-bucket/tree", "--no-progress")).Output);
        await house.Run("aws", "s3", "sync", "s3://a-bucket/tree", Path.Combine(house.Folder, "back"), "--no-progress");
        Assert.Equal("file 7", await File.ReadAllTextAsync(Path.Combine(house.Folder, "back", "inner", "7.txt")));
        using var http = new HttpClient();
        var address = (await house.Run("aws", "s3", "presign", "s3://a-bucket/tree/inner/3.txt")).Output.Trim();
        Assert.Equal("file 3", await http.GetStringAsync(new Uri(address)));
        // In parts, and by the other store's own copying.
        await house.Run("aws", "s3", "cp", "s3://a-bucket/big", "s3://a-bucket/big-too", "--no-progress");
        await house.Run("aws", "s3", "mv", "s3://a-bucket/big-too", content + "-moved", "--no-progress");
        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(await File.ReadAllBytesAsync(content + "-moved")));
        await house.Run("aws", "s3", "sync", "s3://a-bucket/tree", "s3://a-bucket/tree-too", "--no-progress");
        File.Delete(Path.Combine(house.Folder, "back", "inner", "7.txt"));
        Assert.Contains("delete: s3://a-bucket/tree/inner/7.txt",
            (await house.Run("aws", "s3", "sync", Path.Combine(house.Folder, "back"), "s3://a-bucket/tree", "--delete", "--no-progress")).Output, StringComparison.Ordinal);
        Assert.Equal(20, (await house.Run("aws", "s3", "ls", "s3://a-bucket/tree-too/", "--recursive")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await house.Run("aws", "s3", "rm", "--recursive", "s3://a-bucket/tree-too", "--exclude", "*/3.txt");
        Assert.EndsWith("tree-too/inner/3.txt", (await house.Run("aws", "s3", "ls", "s3://a-bucket/tree-too/", "--recursive")).Output.Trim(), StringComparison.Ordinal);
        await house.Run("aws", "s3", "rb", "--force", "s3://a-bucket");
        Assert.Empty((await house.Run("aws", "s3", "ls")).Output);
        await HasBlobs(0, house);
    }

    [Fact]
    public async Task The_command_line_keeps_versions_and_gives_them_back()
    {
        Tool.Need("aws");
        await using var house = await Up();
        string[] one = ["--bucket", "a-bucket", "--key", "k"];
        await house.Run("aws", "s3", "mb", "s3://a-bucket");
        await house.Aws("s3api", "put-bucket-versioning", "--bucket", "a-bucket", "--versioning-configuration", "Status=Enabled");
        Assert.Equal("Enabled", (string)(await house.Aws("s3api", "get-bucket-versioning", "--bucket", "a-bucket"))["Status"]!);
        List<string> ids = [];
        foreach (var text in new[] { "first", "second" })
        {
            await File.WriteAllTextAsync(Path.Combine(house.Folder, "body"), text);
            ids.Add((string)(await house.Aws(["s3api", "put-object", .. one, "--body", Path.Combine(house.Folder, "body"), "--tagging", "text=" + text]))["VersionId"]!);
        }
        var marker = (string)(await house.Aws(["s3api", "delete-object", .. one]))["VersionId"]!;
        Assert.NotEqual(0, (await house.TryRun("aws", "s3api", "head-object", "--bucket", "a-bucket", "--key", "k")).ExitCode);
        var listed = await house.Aws("s3api", "list-object-versions", "--bucket", "a-bucket");
        Assert.Equal(ids.Reverse<string>(), listed["Versions"]!.AsArray().Select(v => (string)v!["VersionId"]!));
        Assert.Equal(marker, (string)listed["DeleteMarkers"]![0]!["VersionId"]!);
        await house.Aws(["s3api", "get-object", .. one, "--version-id", ids[0], Path.Combine(house.Folder, "got")]);
        Assert.Equal("first", await File.ReadAllTextAsync(Path.Combine(house.Folder, "got")));
        Assert.Equal("first", (string)(await house.Aws(["s3api", "get-object-tagging", .. one, "--version-id", ids[0]]))["TagSet"]![0]!["Value"]!);
        // An older version becomes the latest by copying it over itself, the latest comes back by deleting the marker.
        await house.Aws(["s3api", "delete-object", .. one, "--version-id", marker]);
        var restored = await house.Aws(["s3api", "copy-object", .. one, "--copy-source", "a-bucket/k?versionId=" + ids[0]]);
        Assert.Equal(ids[0], (string)restored["CopySourceVersionId"]!);
        await house.Aws(["s3api", "get-object", .. one, Path.Combine(house.Folder, "got")]);
        Assert.Equal("first", await File.ReadAllTextAsync(Path.Combine(house.Folder, "got")));
    }

    [Fact]
    public async Task Buckets_in_host_names_and_the_limit_of_one_upload_are_understood()
    {
        await using var house = await WithBoto();
        await Python(house, """
            import http.client, socket, urllib.parse
            lookup = socket.getaddrinfo
            socket.getaddrinfo = lambda host, *rest, **more: lookup('127.0.0.1' if host.endswith('localhost') else host, *rest, **more)
            s3 = boto3.client('s3', config=Config(s3={'addressing_style': 'virtual'}))
            s3.put_object(Bucket=B, Key='dir//a b', Body=b'0123456789', Metadata={'x': 'y'})
            assert read('dir//a b', Range='bytes=3-5') == b'345' and s3.head_object(Bucket=B, Key='dir//a b')['Metadata'] == {'x': 'y'}
            assert [o['Key'] for o in s3.list_objects_v2(Bucket=B, Prefix='dir/')['Contents']] == ['dir//a b']
            s3.copy_object(Bucket=B, Key='copied', CopySource={'Bucket': B, 'Key': 'dir//a b'})
            s3.upload_fileobj(io.BytesIO(b'x' * 12_000_000), B, 'parts', Config=TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20))
            assert len(read('parts')) == 12_000_000 and read('copied') == b'0123456789'
            # Refused by what is announced, before a byte of it is sent.
            url = urllib.parse.urlsplit(s3.generate_presigned_url('put_object', Params={'Bucket': B, 'Key': 'huge'}))
            connection = http.client.HTTPConnection(url.netloc, timeout=20)
            connection.putrequest('PUT', url.path + '?' + url.query)
            connection.putheader('Content-Length', str((5 << 30) + 1))
            connection.putheader('Expect', '100-continue')
            connection.endheaders()
            answer = connection.getresponse()
            assert answer.status == 400 and b'EntityTooLarge' in answer.read(), answer.status
            """);
    }

    [Fact]
    public async Task A_kill_in_the_middle_of_an_upload_leaves_the_older_object_and_no_bytes_of_the_newer()
    {
        Tool.Need("aws");
        await using var house = await Up();
        await house.Aws("s3api", "create-bucket", "--bucket", "a-bucket", "--create-bucket-configuration", "LocationConstraint=eu-west-1");
        await File.WriteAllTextAsync(Path.Combine(house.Folder, "old"), "old");
        await house.Aws("s3api", "put-object", "--bucket", "a-bucket", "--key", "k", "--body", Path.Combine(house.Folder, "old"));
        var address = (await house.Run("python3", "-c", "import boto3; print(boto3.client('s3').generate_presigned_url('put_object', Params={'Bucket': 'a-bucket', 'Key': 'k'}))")).Output.Trim();
        for (var round = 0; round < 3; round++)
        {
            using var http = new HttpClient();
            using var endless = new EndlessContent(50_000_000);
            using var stop = new CancellationTokenSource();
            var sending = http.PutAsync(new Uri(address), endless, stop.Token);
            await endless.Half.WaitAsync(TimeSpan.FromSeconds(30));
            await house.Kill();
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => sending);
            await house.Start();
            await house.Run("aws", "s3", "cp", "s3://a-bucket/k", Path.Combine(house.Folder, "now"));
            Assert.Equal("old", await File.ReadAllTextAsync(Path.Combine(house.Folder, "now")));
            await HasBlobs(1, house);
            // The platform has another port now.
            address = (await house.Run("python3", "-c", "import boto3; print(boto3.client('s3').generate_presigned_url('put_object', Params={'Bucket': 'a-bucket', 'Key': 'k'}))")).Output.Trim();
        }
    }

    /// <summary>Waits until so many blobs are left: what was broken off is cleared away when its end is noticed.</summary>
    async Task HasBlobs(int count, House house)
    {
        var until = TimeProvider.System.GetUtcNow().AddSeconds(30);
        while (Blobs(house).Length != count && TimeProvider.System.GetUtcNow() < until)
            await Task.Yield();
        Assert.Equal(count, Blobs(house).Length);
    }

    private protected virtual string[] Blobs(House house) => Directory.GetFiles(Path.Combine(house.Data, "blobs"), "*", SearchOption.AllDirectories);

    /// <summary>Sends half of what it announces and then waits.</summary>
    sealed class EndlessContent(long bytes) : HttpContent
    {
        readonly TaskCompletionSource half = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Half => half.Task;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, default);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            var chunk = new byte[1 << 16];
            for (long sent = 0; sent < bytes / 2; sent += chunk.Length)
                await stream.WriteAsync(chunk, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            half.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes;
            return true;
        }
    }
}
